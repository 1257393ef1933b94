//! A leaderboard over real sockets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use parking_lot::Mutex;
use pointsman_wire::net::TicketParams;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::fake::{Fakes, answers, offer, uri};
use crate::directory::{Directory, Settings};
use crate::prober::Ask;
use crate::source::{Leaderboard, Sources};

const ACCOUNT: [u8; 20] = [0x11; 20];

/// What it says, and how often it was asked.
struct Board(Mutex<(StatusCode, String)>, AtomicUsize);

async fn answer(State(board): State<Arc<Board>>) -> (StatusCode, String) {
    board.1.fetch_add(1, Ordering::SeqCst);
    board.0.lock().clone()
}

fn scored(score: &str) -> (StatusCode, String) {
    let account = "11".repeat(20);
    let body = format!(r#"{{"0x{account}": {{"FRA": {{"score": {score}}}}}}}"#);
    (StatusCode::OK, body)
}

async fn becomes(directory: &Directory, score: Option<f64>) {
    while directory.list()[0].perf_score != score {
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn scores_are_followed_and_through_every_error_the_last_ones_stay() {
    let board = Arc::new(Board(Mutex::new(scored("0.5")), AtomicUsize::new(0)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!(
        "http://{}/stats?key=s3cret",
        listener.local_addr().expect("an address")
    );
    let router = Router::new()
        .route("/stats", get(answer))
        .with_state(Arc::clone(&board));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let fakes = Fakes::answering(&[]);
    let mut info = offer("a", 1);
    info.ticket_params = Some(TicketParams {
        recipient: ACCOUNT.to_vec(),
        ..Default::default()
    });
    fakes.set("a", answers(info));
    let url = url.parse().expect("a URL");
    let settings = Settings {
        sources: Sources {
            list: vec![uri("a")],
            ..Sources::default()
        },
        leaderboard: Some(Leaderboard {
            interval: Duration::from_millis(10),
            timeout: Duration::from_secs(60),
            ..Leaderboard::new(url, "FRA".to_owned())
        }),
        ..Settings::default()
    };
    let directory = Directory::start(settings, fakes as Arc<dyn Ask>)
        .await
        .expect("it starts");
    becomes(&directory, Some(0.5)).await;
    for wrong in [
        (StatusCode::INTERNAL_SERVER_ERROR, scored("1").1),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::OK, "[]".to_owned()),
    ] {
        *board.0.lock() = wrong;
        let before = board.1.load(Ordering::SeqCst);
        // By the third question from now an answer that began after now was taken in.
        while board.1.load(Ordering::SeqCst) < before + 3 {
            sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(directory.list()[0].perf_score, Some(0.5));
    }
    *board.0.lock() = scored("0.75");
    becomes(&directory, Some(0.75)).await;
    *board.0.lock() = (StatusCode::OK, "{}".to_owned());
    becomes(&directory, None).await;
}

use std::convert::Infallible;
use std::num::NonZeroUsize;

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::future::join_all;
use tokio::time::sleep;

use super::*;
use crate::ingest::push::room::{self, Room};

/// Largest segment of these tests, in bytes.
const MOST: usize = 1000;
const SECOND: Duration = Duration::from_secs(1);

type Client = UnboundedSender<Result<Bytes, Infallible>>;

/// An upload, and who sends it.
fn upload() -> (Client, Upload) {
    let (client, body) = unbounded();
    let upload = Upload::new(&HeaderMap::new(), Body::from_stream(body));
    (client, upload)
}

fn room() -> Room {
    Room::new(MOST, NonZeroUsize::MIN)
}

fn send(client: &Client, bytes: usize) {
    let piece = Bytes::from(vec![7; bytes]);
    // A client whose segment is refused has nobody to send to.
    let _ = client.unbounded_send(Ok(piece));
}

#[tokio::test(start_paused = true)]
async fn a_slow_segment_arrives_whole() {
    let (client, mut upload) = upload();
    let sending = async move {
        for _ in 0..10 {
            sleep(IDLE - SECOND).await;
            send(&client, 100);
        }
    };
    let mut held = room().for_stream();
    let (segment, ()) = tokio::join!(upload.read(MOST, &mut held), sending);
    assert_eq!(segment.expect("whole"), vec![7; 1000]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stalls_is_let_go_and_not_waited_for() {
    let (client, mut upload) = upload();
    send(&client, 100);
    let started = Instant::now();
    let refused = upload.read(MOST, &mut room().for_stream()).await;
    let refused = refused.expect_err("it stalls");
    assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        refused.message.contains("nothing came for 10 s"),
        "{}",
        refused.message
    );
    upload.discard().await;
    let waited = started.elapsed();
    assert!(waited < IDLE + SECOND, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_drips_for_ever_is_let_go() {
    let (client, mut upload) = upload();
    let sending = async move {
        loop {
            send(&client, 1);
            sleep(SECOND).await;
        }
    };
    let mut held = room().for_stream();
    let refused = tokio::select! {
        read = upload.read(MOST, &mut held) => read.expect_err("it never ends"),
        () = sending => unreachable!("it never ends"),
    };
    assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        refused.message.contains("longer than 300 s"),
        "{}",
        refused.message
    );
}

#[tokio::test(start_paused = true)]
async fn a_segment_that_grows_too_large_is_refused() {
    let (client, mut upload) = upload();
    send(&client, MOST);
    send(&client, 1);
    let refused = upload.read(MOST, &mut room().for_stream()).await;
    let refused = refused.expect_err("too large");
    assert_eq!(refused.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        refused.message.contains("--max-segment-bytes"),
        "{}",
        refused.message
    );
}

#[tokio::test(start_paused = true)]
async fn without_room_it_is_told_to_come_again_and_its_part_is_free() {
    let room = Room::of(4000);
    let mut others = room.for_stream();
    others.take(3500).await.expect("there is room");
    let (client, mut upload) = upload();
    send(&client, 100);
    send(&client, 300);
    let started = Instant::now();
    let refused = {
        let mut held = room.for_stream();
        let read = upload.read(MOST, &mut held).await;
        read.expect_err("there is no room")
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.retry_after.is_some());
    assert!(started.elapsed() >= room::PATIENCE, "it waited");
    assert_eq!(room.free(), 500, "what it held is free");
}

/// Eight clients fill the room with the first pieces of their segments and their buffers; then each sends another.
#[tokio::test(start_paused = true)]
async fn uploads_that_wait_for_each_other_end_and_some_arrive() {
    let room = &Room::of(8 * 300);
    let uploads = (0..8).map(|_| async move {
        let (client, mut upload) = upload();
        let mut held = room.for_stream();
        let sending = async move {
            send(&client, 100);
            sleep(SECOND).await;
            send(&client, 100);
        };
        let (read, ()) = tokio::join!(upload.read(MOST, &mut held), sending);
        read
    });
    let all = join_all(uploads).await;
    let arrived = all.iter().filter(|read| read.is_ok()).count();
    assert!(arrived > 0 && arrived < 8, "{arrived} of 8");
    for refused in all.iter().filter_map(|read| read.as_ref().err()) {
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(room.free(), 8 * 300, "nothing is lost");
}

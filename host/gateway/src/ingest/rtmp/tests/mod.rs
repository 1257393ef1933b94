//! Connections over pipes, in virtual time.

mod peer;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::task::{Context, Poll};

use pointsman_directory::Directory;
use pointsman_dispatch::Dispatcher;
use pointsman_payments::price::MaxPrices;
use pointsman_payments::purse::Purse;
use pointsman_policy::Host;
use pointsman_transport::Connections;
use pointsman_wire::net::Capabilities;
use pointsman_workloads::transcode::Transcoder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::streams::{Limits, LiveSpec, OpenError, Origin, PlaylistSettings};
use error::Refusal;
use peer::{PING, Peer};

const SECOND: Duration = Duration::from_secs(1);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// An ingest whose streams have their source alone, so that no orchestrator is asked for anything.
async fn ingest(sessions: u32) -> Arc<Rtmp> {
    crate::tls::install();
    let sessions = NonZeroU32::new(sessions).expect("some");
    let connections = Connections::default();
    let directory = pointsman_directory::Settings::default();
    let directory = Directory::start(directory, Arc::new(connections.clone()));
    let directory = directory.await.expect("nothing to load");
    let host = Host::new(pointsman_policy::Config::default(), None).expect("an engine");
    let dispatcher = Dispatcher::new(directory, host, pointsman_dispatch::Settings::default());
    let limits = Limits {
        sessions: sessions.try_into().expect("a small number"),
        idle: 60 * SECOND,
        playlists: PlaylistSettings {
            window: 6,
            keep: 12,
            bytes: 256 << 20,
        },
        transcode: false,
    };
    let purse = Purse::off_chain();
    let transcoder = Transcoder::new(
        Arc::new(dispatcher),
        connections,
        MaxPrices::default(),
        purse,
    );
    let settings = Settings {
        default_profiles: Renditions::new(Vec::new()),
        segmenter: segmenter::Config::default(),
        grace: 30 * SECOND,
        silence: 3 * SECOND,
        sessions,
        waiting_per_address: NonZeroU32::new(1000).expect("many"),
    };
    let webhook = Webhook::new(None, SECOND).expect("a client");
    let streams = Streams::new(Arc::new(transcoder), limits);
    Rtmp::new(streams, webhook, settings, CancellationToken::new())
}

/// A connection to `rtmp` through a pipe that holds 8 kB each way.
fn connect(rtmp: &Arc<Rtmp>) -> (Peer, JoinHandle<Result<(), Error>>) {
    let (ours, theirs) = tokio::io::duplex(8 << 10);
    (Peer(theirs), serve(rtmp, ours))
}

fn serve<S>(rtmp: &Arc<Rtmp>, socket: S) -> JoinHandle<Result<(), Error>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let rtmp = rtmp.clone();
    let stranger = rtmp.strangers.enter(HERE).expect("a place");
    tokio::spawn(async move {
        let connection = Connection::new(&rtmp, socket, stranger)?;
        connection.run(&CancellationToken::new()).await
    })
}

/// Why the connection ended, and when.
async fn end(connection: JoinHandle<Result<(), Error>>) -> &'static str {
    let ended = timeout(600 * SECOND, connection)
        .await
        .expect("it ends")
        .expect("no panic");
    ended.expect_err("closed from here").class()
}

fn take(rtmp: &Arc<Rtmp>, name: &str, key: &str) -> Result<seats::Place, Refusal> {
    let (name, key) = (name.parse().expect("a name"), key.parse().expect("a key"));
    let leave = CancellationToken::new();
    rtmp.seats
        .take(&name, &key, leave, || spec(&name, Origin::Rtmp))
}

fn spec(name: &pointsman_media::name::StreamName, origin: Origin) -> LiveSpec {
    LiveSpec {
        name: name.clone(),
        origin,
        profiles: Vec::new(),
        required: Capabilities::default(),
        stream_id: None,
        session_id: None,
        segment: 2 * SECOND,
        hints: Arc::default(),
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_have_ended_stay_readable_up_to_a_number() {
    let rtmp = ingest(2).await;
    let streams = rtmp.seats.streams();
    for count in 0..5 {
        let name = format!("s{count}").parse().expect("a name");
        let live = streams.open(spec(&name, Origin::Rtmp)).expect("room");
        live.finish();
        tokio::time::advance(SECOND).await;
    }
    let names = streams.list().into_iter();
    let left: Vec<_> = names.map(|live| live.name().to_string()).collect();
    assert_eq!(left, ["s3", "s4"], "as many as may be live");
}

fn segments(rtmp: &Arc<Rtmp>, name: &str) -> u64 {
    let place = rtmp.seats.streams().get(&name.parse().expect("a name"));
    let summary = serde_json::to_value(place.expect("it is live").summary()).expect("JSON");
    summary["segments"].as_u64().expect("a number")
}

#[tokio::test(start_paused = true)]
async fn who_does_not_publish_in_time_is_closed() {
    let rtmp = ingest(1).await;
    let started = Instant::now();
    let (_silent, connection) = connect(&rtmp);
    let (mut shaken, second) = connect(&rtmp);
    shaken.handshake().await;
    let (mut drips, third) = connect(&rtmp);
    let drip = async {
        while drips.0.write_all(&[3]).await.is_ok() {
            tokio::time::sleep(SECOND).await;
        }
    };
    let ends = async { [end(connection).await, end(second).await, end(third).await] };
    let (_, ends) = tokio::join!(drip, ends);
    assert_eq!(ends, ["not-published"; 3]);
    assert!(started.elapsed() < PUBLISH_WITHIN + 2 * SECOND);
    assert_eq!(rtmp.strangers.free(), 1 + STRANGERS);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_closed() {
    let rtmp = ingest(1).await;
    let (mut peer, connection) = connect(&rtmp);
    assert!(peer.publish("cam").await.contains("Publish.Start"));
    let pings = PING.repeat(100);
    while peer.0.write_all(&pings).await.is_ok() {}
    assert_eq!(end(connection).await, "slow-reader");
}

#[tokio::test(start_paused = true)]
async fn who_publishes_nothing_is_closed() {
    let rtmp = ingest(2).await;
    let (mut silent, first) = connect(&rtmp);
    silent.publish("silent").await;
    let (mut pings, second) = connect(&rtmp);
    pings.publish("pings").await;
    let ping = async {
        let mut answer = PING;
        while pings.0.write_all(&PING).await.is_ok()
            && pings.0.read_exact(&mut answer).await.is_ok()
        {
            tokio::time::sleep(10 * SECOND).await;
        }
    };
    let ends = async { [end(first).await, end(second).await] };
    let (_, ends) = tokio::join!(ping, ends);
    assert_eq!(ends, ["silent", "no-segment"]);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_faster_than_its_segments_come_back_waits_and_loses_nothing() {
    const COUNT: u32 = 200;
    let rtmp = ingest(1).await;
    let (mut peer, connection) = connect(&rtmp);
    peer.publish("cam").await;
    let room = rtmp.seats.room("cam");
    let mut under_way: Vec<_> = (0..room::MAX).map(|_| room.enter()).collect();
    peer.say(&peer::header()).await;
    let all: Vec<u8> = (0..COUNT)
        .flat_map(|at| peer::key_frame(2000 * at))
        .collect();
    let sent = tokio::spawn(async move {
        peer.say(&all).await;
        peer
    });
    tokio::time::sleep(20 * SECOND).await;
    assert!(!sent.is_finished(), "it has to wait");
    assert_eq!(segments(&rtmp, "cam"), 0);
    assert!(
        matches!(take(&rtmp, "cam", "-"), Err(Refusal::Taken { .. })),
        "it counts as heard"
    );

    under_way.clear();
    let mut peer = sent.await.expect("all is taken");
    peer.0.shutdown().await.expect("it is open");
    connection
        .await
        .expect("no panic")
        .expect("a good publisher");
    assert_eq!(segments(&rtmp, "cam"), u64::from(COUNT));
}

/// Encoders say twice that they have finished, with two commands.
#[tokio::test(start_paused = true)]
async fn who_has_finished_may_say_so_again_and_goes_by_itself() {
    let rtmp = ingest(1).await;
    let (mut peer, connection) = connect(&rtmp);
    peer.publish("cam").await;
    for _ in 0..2 {
        peer.say(&peer::close()).await;
        tokio::time::sleep(SECOND / 4).await;
    }
    drop(peer);
    connection
        .await
        .expect("no panic")
        .expect("a good publisher");
}

/// A pipe whose peer has gone: what it sent before can be read, and nothing can be written.
struct Gone(DuplexStream);

impl AsyncRead for Gone {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl AsyncWrite for Gone {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_the_publisher_went_is_not_lost() {
    const COUNT: u32 = 200;
    let rtmp = ingest(1).await;
    let (ours, theirs) = tokio::io::duplex(8 << 10);
    let connection = serve(&rtmp, Gone(ours));
    let mut peer = Peer(theirs);
    // Nothing is waited for: the answers are lost.
    peer.say(&peer::everything("cam")).await;
    peer.say(&peer::header()).await;
    for at in 0..COUNT {
        peer.say(&peer::key_frame(2000 * at)).await;
        peer.say(&PING).await;
    }
    drop(peer);
    connection
        .await
        .expect("no panic")
        .expect("a good publisher");
    assert_eq!(segments(&rtmp, "cam"), u64::from(COUNT));
}

/// A pipe that panics on a ping.
struct Trap(DuplexStream);

impl AsyncRead for Trap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.0).poll_read(cx, into);
        assert!(!into.filled()[before..].ends_with(&PING), "trapped");
        read
    }
}

impl AsyncWrite for Trap {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_panics_frees_its_stream_and_its_place() {
    let rtmp = ingest(1).await;
    let (ours, theirs) = tokio::io::duplex(8 << 10);
    let (mut peer, connection) = (Peer(theirs), serve(&rtmp, Trap(ours)));
    assert!(peer.publish("cam/key").await.contains("Publish.Start"));
    assert!(matches!(
        take(&rtmp, "cam", "key"),
        Err(Refusal::Taken { .. })
    ));
    peer.say(&PING).await;
    assert!(connection.await.expect_err("trapped").is_panic());
    assert_eq!(rtmp.strangers.free(), 1 + STRANGERS);

    // Its own key at once, another one after the grace; the session is free again as well.
    drop(take(&rtmp, "cam", "key").expect("free for who has the key"));
    assert!(matches!(
        take(&rtmp, "cam", "other"),
        Err(Refusal::Taken { .. })
    ));
    assert!(matches!(
        take(&rtmp, "next", "key"),
        Err(Refusal::Open(OpenError::TooMany(1)))
    ));
    tokio::time::sleep(31 * SECOND).await;
    drop(take(&rtmp, "cam", "other").expect("free for everybody"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_within_the_segmenter_frees_the_seat_too() {
    let rtmp = ingest(1).await;
    let place = take(&rtmp, "cam", "key").expect("free");
    let panics = async move {
        place.segment::<()>(|_| panic!("on purpose"));
        Ok(())
    };
    let peer = "127.0.0.1:1".parse().expect("an address");
    tokio::spawn(watch(peer, panics)).await.expect("caught");
    assert!(take(&rtmp, "cam", "key").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_silent_publisher_gives_way_when_all_sessions_are_taken() {
    let rtmp = ingest(1).await;
    let (mut first, connection) = connect(&rtmp);
    first.publish("cam/key").await;
    let (mut early, refused) = connect(&rtmp);
    let told = early.publish("cam/key").await;
    assert!(told.contains("NetStream.Publish.BadName"), "{told}");
    drop(early);
    assert_eq!(end(refused).await, "refused-taken");
    tokio::time::sleep(4 * SECOND).await;
    let (mut other, refused) = connect(&rtmp);
    let told = other.publish("other").await;
    assert!(told.contains("--max-sessions"), "{told}");
    drop(other);
    assert_eq!(end(refused).await, "refused-full");

    let (mut second, _connection) = connect(&rtmp);
    assert!(second.publish("cam/key").await.contains("Publish.Start"));
    assert_eq!(end(connection).await, "taken-over");
}

#[tokio::test(start_paused = true)]
async fn a_name_in_use_is_refused_in_words_that_help() {
    let rtmp = ingest(2).await;
    let name = "pushed".parse().expect("a name");
    let pushed = rtmp
        .seats
        .streams()
        .get_or_open(&name, || spec(&name, Origin::Push));
    pushed.expect("a free name");
    let (mut first, _first) = connect(&rtmp);
    first.publish("cam/key").await;
    for (name, words) in [
        ("pushed", "it is pushed over HTTP"),
        ("cam/key", "silent for 3 s"),
        ("cam/other", "silent for 3 s"),
    ] {
        let (mut peer, connection) = connect(&rtmp);
        let told = peer.publish(name).await + &peer.hear().await;
        assert!(
            told.contains("a stream of this name is live already"),
            "{told}"
        );
        assert!(told.contains(words), "{told}");
        assert_eq!(end(connection).await, "refused-taken");
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_at_once() {
    let rtmp = ingest(3).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    let all: Vec<_> = (0..3 + STRANGERS)
        .map(|_| rtmp.strangers.enter(HERE).expect("nobody is there"))
        .collect();
    tokio::spawn(rtmp.clone().serve(listener, CancellationToken::new()));
    let mut late = TcpStream::connect(address).await.expect("it listens");
    assert!(matches!(late.read(&mut [0]).await, Ok(0) | Err(_)));

    drop(all);
    let mut peer = TcpStream::connect(address).await.expect("it listens");
    peer.write_all(&[&[3][..], &[0; 1536]].concat())
        .await
        .expect("read");
    assert_eq!(peer.read_u8().await.expect("an answer"), 3);
}

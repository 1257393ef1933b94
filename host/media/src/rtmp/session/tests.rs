use proptest::prelude::*;
use rml_rtmp::rml_amf0::{self, Amf0Value};
use rml_rtmp::sessions::{
    ClientSession, ClientSessionConfig, ClientSessionEvent, ClientSessionResult, PublishRequestType,
};

use super::*;

/// A publisher played by rml_rtmp's client, against our session.
struct Publisher {
    session: Session,
    client: ClientSession,
    events: Vec<Event>,
    said: Vec<ClientSessionEvent>,
}

impl Publisher {
    fn connected() -> Self {
        let mut session = Session::new(Config::default()).expect("a session");
        let greeting = handshake(&mut session);
        let mut config = ClientSessionConfig::new();
        config.tc_url = Some("rtmp://example.org:1935/live".to_owned());
        let (client, results) = ClientSession::new(config).expect("a client");
        let mut publisher = Self {
            session,
            client,
            events: Vec::new(),
            said: Vec::new(),
        };
        publisher.deliver(results);
        publisher.hear(&greeting);
        let connect = publisher.client.request_connection("live".to_owned());
        publisher.deliver(vec![connect.expect("a request")]);
        publisher
    }

    fn asking(name: &str) -> (Self, Publish) {
        let mut publisher = Self::connected();
        let request = publisher
            .client
            .request_publishing(name.to_owned(), PublishRequestType::Live);
        publisher.deliver(vec![request.expect("a request")]);
        let Some(Event::Publish(publish)) = publisher.events.pop() else {
            panic!("no publish: {:?}", publisher.events);
        };
        (publisher, publish)
    }

    fn publishing() -> Self {
        let (mut publisher, publish) = Self::asking("movie");
        let answer = publisher
            .session
            .accept(publish.request)
            .expect("the open request");
        publisher.hear(&answer);
        publisher
    }

    /// Takes what the client sends to the session, and back, until both are silent.
    fn deliver(&mut self, results: Vec<ClientSessionResult>) {
        for result in results {
            match result {
                ClientSessionResult::OutboundResponse(packet) => self.input(&packet.bytes),
                ClientSessionResult::RaisedEvent(event) => self.said.push(event),
                ClientSessionResult::UnhandleableMessageReceived(_) => {}
            }
        }
    }

    fn input(&mut self, bytes: &[u8]) {
        for event in self.session.input(bytes).expect("a well-behaved client") {
            match event {
                Event::Send(bytes) => self.hear(&bytes),
                event => self.events.push(event),
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let results = self.client.handle_input(bytes).expect("valid answers");
        self.deliver(results);
    }
}

/// Answers the greeting.
fn handshake(session: &mut Session) -> Bytes {
    let mut hello = vec![3];
    hello.extend((0..1536).map(|at| at as u8));
    let events = session.input(&hello).expect("a plain handshake");
    let [Event::Send(answer)] = &events[..] else {
        panic!("no answer: {events:?}");
    };
    assert_eq!(answer.len(), 1 + 2 * 1536);
    let events = session.input(&answer[1..1537]).expect("their half again");
    let [Event::Send(greeting)] = &events[..] else {
        panic!("no greeting: {events:?}");
    };
    greeting.clone()
}

/// A session that takes media on message stream 1.
fn open_session() -> Session {
    let mut session = Session::new(Config::default()).expect("a session");
    handshake(&mut session);
    session
        .input(&control(1, &65_536u32.to_be_bytes()))
        .expect("valid");
    let values = |values: &[Amf0Value]| rml_amf0::serialize(&values.to_vec()).expect("short");
    let text = |text: &str| Amf0Value::Utf8String(text.to_owned());
    let object = Amf0Value::Object([("app".to_owned(), text("live"))].into());
    let number = Amf0Value::Number(1.0);
    let connect = values(&[text("connect"), number.clone(), object]);
    let create = values(&[text("createStream"), number.clone(), Amf0Value::Null]);
    let publish = values(&[text("publish"), number, Amf0Value::Null, text("movie")]);
    for (stream, payload) in [(0, connect), (0, create), (1, publish)] {
        session
            .input(&chunk(3, 20, stream, &payload))
            .expect("valid");
    }
    assert!(matches!(
        session.publishing,
        Publishing::Asked { stream: 1, .. }
    ));
    session
}

#[test]
fn a_publisher_gets_through_and_its_media_comes_out() {
    let (mut publisher, publish) = Publisher::asking("movie/secret?token=1");
    assert_eq!(
        publish.url(),
        "rtmp://example.org:1935/live/movie/secret?token=1"
    );
    let answer = publisher
        .session
        .accept(publish.request)
        .expect("the open request");
    publisher.hear(&answer);
    assert!(
        publisher
            .said
            .contains(&ClientSessionEvent::PublishRequestAccepted)
    );

    let data = Bytes::from(vec![7; 100]);
    for timestamp in [0, 40] {
        let time = RtmpTimestamp::new(timestamp);
        let video = publisher
            .client
            .publish_video_data(data.clone(), time, false);
        publisher.deliver(vec![video.expect("publishing")]);
        let audio = publisher
            .client
            .publish_audio_data(data.clone(), time, false);
        publisher.deliver(vec![audio.expect("publishing")]);
    }
    let video = |timestamp| Event::Video {
        timestamp,
        data: data.clone(),
    };
    let audio = |timestamp| Event::Audio {
        timestamp,
        data: data.clone(),
    };
    assert_eq!(publisher.events, [video(0), audio(0), video(40), audio(40)]);

    publisher.events.clear();
    let stop = publisher.client.stop_publishing().expect("publishing");
    publisher.deliver(stop);
    assert_eq!(publisher.events, [Event::Finished]);
    let over = Err(Error::NoRequest(publish.request));
    assert_eq!(publisher.session.accept(publish.request), over);
}

#[test]
fn a_session_may_move_between_threads() {
    fn moves<T: Send + 'static>() {}
    moves::<Session>();
    moves::<crate::segmenter::Segmenter>();
}

#[test]
fn metadata_is_read() {
    let mut publisher = Publisher::publishing();
    let mut metadata = rml_rtmp::sessions::StreamMetadata::new();
    metadata.video_width = Some(1280);
    metadata.video_frame_rate = Some(25.0);
    metadata.encoder = Some("obs\n".to_owned());
    let sent = publisher
        .client
        .publish_metadata(&metadata)
        .expect("publishing");
    publisher.deliver(vec![sent]);
    let expected = Metadata {
        width: Some(1280),
        height: None,
        frame_rate: Some(25.0),
        encoder: Some("obs".to_owned()),
    };
    assert_eq!(publisher.events, [Event::Metadata(expected)]);
}

#[test]
fn a_refused_publisher_is_told() {
    let (mut publisher, publish) = Publisher::asking("movie");
    let answer = publisher.session.reject(
        publish.request,
        "NetStream.Publish.BadName",
        "the name is taken",
    );
    let answer = answer.expect("the open request");
    let told = String::from_utf8_lossy(&answer).into_owned();
    for word in [
        "onStatus",
        "error",
        "NetStream.Publish.BadName",
        "the name is taken",
    ] {
        assert!(told.contains(word), "{word}");
    }
    publisher.hear(&answer);
    assert!(publisher.session.accept(publish.request).is_err());
}

#[test]
fn playing_is_refused_and_publishing_goes_on() {
    let mut publisher = Publisher::connected();
    let play = publisher
        .client
        .request_playback("movie".to_owned())
        .expect("a request");
    publisher.deliver(vec![play]);
    let refused = Event::PlayRefused {
        name: "movie".to_owned(),
    };
    assert_eq!(publisher.events, [refused]);
}

#[test]
fn a_peer_that_plays_on_is_sent_away() {
    let play = [
        Amf0Value::Utf8String("play".to_owned()),
        Amf0Value::Number(4.0),
        Amf0Value::Null,
        Amf0Value::Utf8String("movie".to_owned()),
    ];
    let payload = rml_amf0::serialize(&play.to_vec()).expect("short");
    let mut session = open_session();
    let events = session.input(&chunk(3, 20, 1, &payload)).expect("told");
    assert!(matches!(
        events[..],
        [Event::Send(_), Event::PlayRefused { .. }]
    ));
    let again = session.input(&chunk(3, 20, 1, &payload));
    let over = Error::Unexpected("play again after it was refused");
    assert_eq!(again, Err(over));
}

#[test]
fn long_video_is_taken_once_the_peer_asked_to_publish() {
    let header = |length: u32| {
        let length = length.to_be_bytes();
        [
            6, 0, 0, 0, length[1], length[2], length[3], 9, 1, 0, 0, 0, 0x17,
        ]
    };
    let max = |length| {
        let mut sessions = [
            Session::new(Config::default()).expect("a session"),
            open_session(),
        ];
        handshake(&mut sessions[0]);
        sessions.map(|mut session| match session.input(&header(length)) {
            Err(Error::TooLong { max, .. }) => Some(max),
            other => {
                assert_eq!(other, Ok(vec![]));
                None
            }
        })
    };
    assert_eq!(max(64 << 10), [None, None]);
    assert_eq!(max(1 << 20), [Some(64 << 10), None]);
    assert_eq!(max(9 << 20), [Some(64 << 10), Some(8 << 20)]);
}

#[test]
fn a_second_publish_on_a_connection_is_refused() {
    let mut session = open_session();
    let again = [
        Amf0Value::Utf8String("publish".to_owned()),
        Amf0Value::Number(9.0),
        Amf0Value::Null,
        Amf0Value::Utf8String("other".to_owned()),
    ];
    let payload = rml_amf0::serialize(&again.to_vec()).expect("short");
    let events = session
        .input(&chunk(3, 20, 1, &payload))
        .expect("an answer");
    let [Event::Send(answer)] = &events[..] else {
        panic!("no refusal: {events:?}");
    };
    assert!(String::from_utf8_lossy(answer).contains("NetStream.Publish.Failed"));
}

#[test]
fn what_panics_rml_rtmp_is_an_error_or_dropped() {
    let string = |text: &str| [&[2, 0, text.len() as u8], text.as_bytes()].concat();
    let mut session = open_session();
    let set_data_frame = string("@setDataFrame");
    assert_eq!(session.input(&chunk(5, 18, 1, &set_data_frame)), Ok(vec![]));
    assert_eq!(session.input(&chunk(5, 15, 1, &set_data_frame)), Ok(vec![]));
    let bare_command = string("connect");
    let refused = Error::Malformed("a command without name and transaction");
    assert_eq!(session.input(&chunk(3, 20, 0, &bare_command)), Err(refused));
    let deep = [[3, 0, 1, b'a']; 10_000].concat();
    let refused = Error::Malformed("a command that is no AMF0");
    assert_eq!(
        open_session().input(&chunk(3, 20, 0, &deep)),
        Err(refused.clone())
    );
    assert_eq!(
        open_session().input(&chunk(3, 20, 0, &[])),
        Err(Error::Malformed("a command without name and transaction"))
    );
}

#[test]
fn commands_in_amf3_clothing_are_understood() {
    let mut session = open_session();
    let mut payload = vec![0];
    let close = [
        Amf0Value::Utf8String("deleteStream".to_owned()),
        Amf0Value::Number(4.0),
        Amf0Value::Null,
        Amf0Value::Number(1.0),
    ];
    payload.extend(rml_amf0::serialize(&close.to_vec()).expect("short"));
    assert_eq!(
        session.input(&chunk(3, 17, 0, &payload)),
        Ok(vec![Event::Finished])
    );
    let late = session.input(&chunk(6, 9, 1, &[0x17, 1, 0, 0, 0]));
    assert_eq!(late, Ok(vec![]), "media after the end belongs to nobody");
}

#[test]
fn received_bytes_are_acknowledged_by_the_window() {
    let mut session = open_session();
    session
        .input(&control(5, &8000u32.to_be_bytes()))
        .expect("valid");
    let video = chunk(6, 9, 1, &[0x17; 5000]);
    let sent = |events: &[Event]| -> Vec<Bytes> {
        let bytes = |event: &Event| match event {
            Event::Send(bytes) => Some(bytes.clone()),
            _ => None,
        };
        events.iter().filter_map(bytes).collect()
    };
    let first = session.input(&video).expect("valid");
    assert_eq!(sent(&first), Vec::<Bytes>::new());
    let second = session.input(&video).expect("valid");
    let expected = control(3, &session.received.to_be_bytes());
    assert_eq!(sent(&second), [expected]);
}

#[test]
fn pings_are_answered() {
    let mut session = open_session();
    let pong = control(4, &[0, 7, 1, 2, 3, 4]);
    let events = session.input(&control(4, &[0, 6, 1, 2, 3, 4]));
    assert_eq!(events, Ok(vec![Event::Send(pong)]));
}

#[test]
fn paths_are_put_together_from_app_and_name() {
    let publish = |app: &str, stream: &str, tc_url: Option<&str>| Publish {
        request: 0,
        app: app.to_owned(),
        stream: stream.to_owned(),
        tc_url: tc_url.map(str::to_owned),
    };
    let path = |app, stream| publish(app, stream, None).path();
    assert_eq!(path("live", "movie"), "/live/movie");
    assert_eq!(path("live/", "/movie//key"), "/live/movie/key");
    assert_eq!(path("movie", ""), "/movie");
    assert_eq!(path("", ""), "/");
    assert_eq!(path("live?sig=a/b", "movie"), "/live/movie?sig=a/b");
    let url = publish("live", "a?b=c", Some("rtmp://h:1/live")).url();
    assert_eq!(url, "rtmp://h:1/live/a?b=c");
    assert_eq!(
        publish("a", "b", Some("nonsense")).url(),
        "rtmp://localhost/a/b"
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        open in any::<bool>(),
    ) {
        let mut session = match open {
            true => open_session(),
            false => Session::new(Config::default()).expect("a session"),
        };
        let _ = session.input(&bytes);
    }

    #[test]
    fn arbitrary_messages_do_not_panic(
        messages in prop::collection::vec(
            (0u8..24, 0u32..4, prop::collection::vec(any::<u8>(), 0..120)), 0..20),
    ) {
        let mut session = open_session();
        for (kind, stream, payload) in messages {
            if session.input(&chunk(4, kind, stream, &payload)).is_err() {
                break;
            }
        }
    }

    #[test]
    fn a_dialogue_cut_anywhere_is_the_same(cuts in prop::collection::vec(1usize..60, 1..6)) {
        let metadata = |width| Event::Metadata(Metadata { width: Some(width), ..Metadata::default() });
        let data = |width: f64| {
            let mut bytes = [&[2, 0, 10][..], b"onMetaData", &[3, 0, 5], b"width", &[0]].concat();
            bytes.extend(width.to_be_bytes());
            bytes.extend([0, 0, 9]);
            bytes
        };
        let wire = [
            chunk(5, 18, 1, &data(640.0)),
            control(1, &64u32.to_be_bytes()),
            chunk(6, 9, 1, &[1; 60]),
            control(4, &[0, 6, 0, 0, 0, 1]),
            chunk(5, 18, 1, &data(320.0)),
        ]
        .concat();
        let mut session = open_session();
        let mut events = Vec::new();
        let mut rest = &wire[..];
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break }
            let (piece, tail) = rest.split_at(rest.len().min(*cut));
            events.extend(session.input(piece).expect("valid"));
            rest = tail;
        }
        let video = Event::Video { timestamp: 0, data: Bytes::from_static(&[1; 60]) };
        let pong = Event::Send(control(4, &[0, 7, 0, 0, 0, 1]));
        prop_assert_eq!(events, vec![metadata(640), video, pong, metadata(320)]);
    }
}

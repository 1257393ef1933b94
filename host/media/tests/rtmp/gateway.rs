//! The smallest gateway: one connection after the other, one stream.

use pointsman_media::flv::Reader;
use pointsman_media::rtmp::{Config, Event, Metadata, Session};
use pointsman_media::segmenter::{self, Segment, Segmenter};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_blocking;

use crate::ffmpeg::Publisher;

pub(crate) struct Gateway {
    listener: TcpListener,
    segmenter: Segmenter,
}

/// What one connection brought.
#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) path: String,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) segments: Vec<Segment>,
    /// AAC frames since the first picture.
    pub(crate) sounds: usize,
    refusal: Option<&'static str>,
    started: bool,
}

// === impl Gateway ===

impl Gateway {
    pub(crate) async fn start() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.expect("a free port"),
            segmenter: Segmenter::new(segmenter::Config::default()),
        }
    }

    /// Takes a publisher's whole stream.
    pub(crate) async fn serve(&mut self, publisher: Publisher) -> Stream {
        let (stream, complaint) = self.run(publisher, Stream::default()).await;
        assert_eq!(complaint, "");
        stream
    }

    /// Turns a publisher away; answers what it says of that.
    pub(crate) async fn refuse(&mut self, publisher: Publisher, reason: &'static str) -> String {
        let refusing = Stream {
            refusal: Some(reason),
            ..Stream::default()
        };
        self.run(publisher, refusing).await.1
    }

    async fn run(&mut self, publisher: Publisher, mut stream: Stream) -> (Stream, String) {
        let address = self.listener.local_addr().expect("a bound socket");
        let url = format!("rtmp://{address}/live/movie/secret?token=1");
        let publisher = spawn_blocking(move || publisher.publish(&url));
        let (socket, _) = self.listener.accept().await.expect("a connection");
        self.segmenter.resume();
        self.connection(socket, &mut stream).await;
        stream.segments.extend(self.segmenter.finish());
        let output = publisher.await.expect("ffmpeg ran");
        (stream, String::from_utf8_lossy(&output.stderr).into_owned())
    }

    async fn connection(&mut self, mut socket: TcpStream, stream: &mut Stream) {
        let mut session = Session::new(Config::default()).expect("a session");
        let mut reader = Reader::new();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = socket.read(&mut buffer).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            for event in session.input(&buffer[..read]).expect("ffmpeg speaks RTMP") {
                let answer = self.event(event, &mut session, &mut reader, stream);
                // It may have sent everything and gone: what it sent is still read.
                let _ = socket.write_all(&answer).await;
            }
            if stream.refusal.is_some() && !stream.path.is_empty() {
                // Closed with bytes unread, the connection would be reset and the reason lost on its way.
                let _ = socket.shutdown().await;
                while let Ok(1..) = socket.read(&mut buffer).await {}
                return;
            }
        }
    }

    fn event(
        &mut self,
        event: Event,
        session: &mut Session,
        reader: &mut Reader,
        stream: &mut Stream,
    ) -> Vec<u8> {
        match event {
            Event::Send(bytes) => return bytes.to_vec(),
            Event::Publish(publish) => {
                stream.path = publish.path();
                let answer = match stream.refusal {
                    Some(reason) => {
                        session.reject(publish.request, "NetStream.Publish.BadName", reason)
                    }
                    None => session.accept(publish.request),
                };
                return answer.expect("the open request").to_vec();
            }
            Event::Video { timestamp, data } => {
                if let Some(unit) = reader.video(timestamp, &data).expect("H.264") {
                    stream.started |= unit.idr;
                    stream
                        .segments
                        .extend(self.segmenter.video(unit).expect("a good stream"));
                }
            }
            Event::Audio { timestamp, data } => {
                if let Some(frame) = reader.audio(timestamp, &data).expect("AAC") {
                    stream.sounds += usize::from(stream.started);
                    stream
                        .segments
                        .extend(self.segmenter.audio(frame).expect("a good stream"));
                }
            }
            Event::Metadata(metadata) => stream.metadata = Some(metadata),
            Event::Finished | Event::PlayRefused { .. } => {}
        }
        Vec::new()
    }
}

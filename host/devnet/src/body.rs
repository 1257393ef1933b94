//! Response bodies: a script of acts, played in turn.
//!
//! One type serves honest answers and every misbehaviour, so that a failure is a list of data and not a code path of its
//! own. Data is never copied: parts of an upload that came in several frames go out again as they came.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// One step of a body.
pub(crate) enum Act {
    /// Sends this.
    Send(Bytes),
    /// Waits for what to do next.
    Later(Pin<Box<dyn Future<Output = Vec<Act>> + Send>>),
    /// Sends this byte by byte, one an interval.
    Drip(Bytes, Duration),
    /// Sends this over and over.
    Endless(Bytes),
    /// Never goes on.
    Hang,
    /// Sends nothing for this long.
    Pause(Duration),
    /// Breaks off: HTTP/1.1 closes the connection, HTTP/2 resets the stream. What was sent just before may be lost.
    Cut,
    /// Ends with these trailers.
    Trailers(HeaderMap),
}

/// Acts still to come.
pub(crate) struct Script {
    acts: VecDeque<Act>,
    pause: Option<Pin<Box<Sleep>>>,
}

/// Bytes in parts, shared and never copied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    parts: std::sync::Arc<[Bytes]>,
    len: usize,
}

/// A body that plays these acts.
pub(crate) fn play(acts: impl IntoIterator<Item = Act>) -> tonic::body::Body {
    tonic::body::Body::new(Script {
        acts: acts.into_iter().collect(),
        pause: None,
    })
}

// === impl Script ===

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            let Script { acts, pause } = &mut *self;
            if let Some(sleep) = pause {
                ready!(sleep.as_mut().poll(cx));
                *pause = None;
            }
            let frame = match acts.pop_front() {
                None => return Poll::Ready(None),
                Some(Act::Send(data)) if data.is_empty() => continue,
                Some(Act::Send(data)) => Frame::data(data),
                Some(Act::Trailers(trailers)) => Frame::trailers(trailers),
                Some(Act::Endless(data)) => {
                    acts.push_front(Act::Endless(data.clone()));
                    Frame::data(data)
                }
                Some(Act::Drip(mut data, interval)) => {
                    let drop = data.split_to(data.len().min(1));
                    if !data.is_empty() {
                        acts.push_front(Act::Drip(data, interval));
                        *pause = Some(Box::pin(tokio::time::sleep(interval)));
                    }
                    Frame::data(drop)
                }
                Some(Act::Later(mut future)) => match future.as_mut().poll(cx) {
                    Poll::Ready(next) => {
                        next.into_iter().rev().for_each(|act| acts.push_front(act));
                        continue;
                    }
                    Poll::Pending => {
                        acts.push_front(Act::Later(future));
                        return Poll::Pending;
                    }
                },
                Some(Act::Pause(time)) => {
                    *pause = Some(Box::pin(tokio::time::sleep(time)));
                    continue;
                }
                // Woken by nothing: the connection's end drops it.
                Some(Act::Hang) => {
                    acts.push_front(Act::Hang);
                    return Poll::Pending;
                }
                Some(Act::Cut) => {
                    acts.clear();
                    return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
                }
            };
            return Poll::Ready(Some(Ok(frame)));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.acts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let mut total = 0;
        for act in &self.acts {
            match act {
                Act::Send(data) => total += data.len() as u64,
                _ => return SizeHint::default(),
            }
        }
        SizeHint::with_exact(total)
    }
}

// === impl Parts ===

impl Parts {
    /// Bytes in all.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The parts in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Bytes> {
        self.parts.iter()
    }

    /// A body's worth of acts.
    pub(crate) fn acts(&self) -> Vec<Act> {
        self.iter().cloned().map(Act::Send).collect()
    }
}

impl From<Vec<Bytes>> for Parts {
    fn from(parts: Vec<Bytes>) -> Self {
        Self {
            len: parts.iter().map(Bytes::len).sum(),
            parts: parts.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    const TICK: Duration = Duration::from_millis(10);

    async fn collect(acts: Vec<Act>) -> Result<Bytes, tonic::Status> {
        play(acts).collect().await.map(|body| body.to_bytes())
    }

    #[tokio::test(start_paused = true)]
    async fn acts_are_played_in_turn() {
        let later = Box::pin(async {
            vec![
                Act::Send(Bytes::from_static(b"b")),
                Act::Drip(Bytes::from_static(b"cd"), TICK),
            ]
        });
        let acts = vec![
            Act::Send(Bytes::from_static(b"a")),
            Act::Later(later),
            Act::Send(Bytes::from_static(b"e")),
        ];
        assert_eq!(collect(acts).await.expect("a body"), "abcde");
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_takes_its_time() {
        let start = tokio::time::Instant::now();
        let acts = vec![Act::Drip(Bytes::from_static(b"12345"), TICK)];
        assert_eq!(collect(acts).await.expect("a body"), "12345");
        assert_eq!(start.elapsed(), 4 * TICK);
    }

    #[tokio::test]
    async fn a_cut_is_an_error_and_only_plain_data_has_a_length() {
        let data = || Act::Send(Bytes::from_static(b"abc"));
        assert!(collect(vec![data(), Act::Cut]).await.is_err());
        assert_eq!(play([data(), data()]).size_hint().exact(), Some(6));
        assert_eq!(play([data(), Act::Hang]).size_hint().exact(), None);
    }
}

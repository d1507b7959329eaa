//! The bodies of answers.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use crate::mock::faults::Harm;

/// A body that is sent at the pace of its fault.
pub(super) enum Reply {
    Whole(Bytes),
    Drip {
        rest: Bytes,
        piece: usize,
        wait: Duration,
        sleep: Option<Pin<Box<Sleep>>>,
    },
    Huge {
        left: u64,
    },
}

impl Reply {
    /// Creates the body of an answer. Returns a fault that is more than a body.
    pub(super) fn new(body: &Bytes, harm: Option<Harm>) -> Result<Self, Harm> {
        match harm {
            None => Ok(Self::Whole(body.clone())),
            Some(Harm::Drip { bytes, wait }) => Ok(Self::Drip {
                rest: body.clone(),
                piece: bytes,
                wait,
                sleep: None,
            }),
            Some(Harm::HugeBody(bytes)) => Ok(Self::Huge { left: bytes }),
            Some(harm) => Err(harm),
        }
    }
}

impl http_body::Body for Reply {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let data = match self.get_mut() {
            Self::Whole(body) => std::mem::take(body),
            Self::Drip {
                rest,
                piece,
                wait,
                sleep,
            } => {
                if rest.is_empty() {
                    return Poll::Ready(None);
                }
                let waiting = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(*wait)));
                std::task::ready!(waiting.as_mut().poll(cx));
                *sleep = None;
                rest.split_to(rest.len().min(*piece))
            }
            Self::Huge { left } => {
                let size = (*left).min(BLANKS.len() as u64) as usize;
                *left -= size as u64;
                Bytes::from_static(&BLANKS[..size])
            }
        };
        Poll::Ready((!data.is_empty()).then(|| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_empty(),
            Self::Drip { rest, .. } => rest.is_empty(),
            Self::Huge { left } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.len() as u64),
            Self::Drip { rest, .. } => SizeHint::with_exact(rest.len() as u64),
            Self::Huge { .. } => SizeHint::default(),
        }
    }
}

static BLANKS: [u8; 16 << 10] = [b' '; 16 << 10];

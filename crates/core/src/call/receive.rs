//! How an answer is received: as a whole, or piece by piece.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use tokio::time::{Instant, timeout_at};

use super::answer::Answer;
use super::context::Context;
use super::limit::InFlight;
use super::secrets::Filter;
use super::{Operation, coding};
use crate::deadline::{after, in_words};
use crate::secret::Secrets;
use crate::transport::{BodyStream, Request, Response, StreamedResponse, Transport};
use crate::{Error, ErrorKind, Result, Sent, TimeoutScope};

/// What a transport received.
pub(crate) enum Received<G> {
    /// A successful answer.
    Answer(G),
    /// A refusal, with its whole body.
    Refusal(Response),
}

/// A way to receive an answer. It is a type parameter of the pipeline rather than a run-time
/// choice, so that the usual way does not pay for the other.
pub(crate) trait Receive: 'static {
    type Got: Send;
    type Answer;

    /// Passes the request to the transport; the future waits for the answer. The request is not
    /// part of the future, which is moved several times.
    fn receive(
        transport: &dyn Transport,
        operation: &'static Operation,
        request: Request,
    ) -> impl Future<Output = Result<Received<Self::Got>>> + Send;

    fn status_of(got: &Self::Got) -> StatusCode;

    /// Returns the content coding of the body, unless there is no body.
    fn coding_of(got: &Self::Got) -> Option<&'static str>;

    fn answer(got: Self::Got, context: Context, in_flight: InFlight) -> Self::Answer;

    /// Returns a refusal as the answer, where any status is one.
    fn refusal(response: &Response, context: impl FnOnce() -> Context) -> Option<Self::Answer> {
        let _ = (response, context);
        None
    }

    /// Adds the error that a refusal would be, were not any status an answer.
    fn with_refusal(answer: Self::Answer, error: Error) -> Self::Answer {
        let _ = error;
        answer
    }

    fn status(answer: &Self::Answer) -> StatusCode;
}

/// Reads the whole answer before returning it; if `ANY`, whatever its status.
pub(crate) struct Whole<const ANY: bool = false>;

impl<const ANY: bool> Receive for Whole<ANY> {
    type Got = Response;
    type Answer = Answer;

    fn receive(
        transport: &dyn Transport,
        operation: &'static Operation,
        request: Request,
    ) -> impl Future<Output = Result<Received<Response>>> + Send {
        let response = transport.send(request);
        async move {
            let response = response.await?;
            Ok(match operation.is_answer(response.status) {
                true => Received::Answer(response),
                false => Received::Refusal(response),
            })
        }
    }

    fn status_of(got: &Response) -> StatusCode {
        got.status
    }

    fn coding_of(got: &Response) -> Option<&'static str> {
        coding::of(&got.headers).filter(|_| !got.body.is_empty())
    }

    fn answer(got: Response, context: Context, _: InFlight) -> Answer {
        Answer::new(got, context)
    }

    fn refusal(response: &Response, context: impl FnOnce() -> Context) -> Option<Answer> {
        ANY.then(|| Answer::new(response.clone(), context()))
    }

    fn with_refusal(answer: Answer, error: Error) -> Answer {
        answer.with_refusal(error)
    }

    fn status(answer: &Answer) -> StatusCode {
        answer.status()
    }
}

/// Leaves the body to be read by the caller.
pub(crate) struct Pieces;

impl Receive for Pieces {
    type Got = StreamedResponse;
    type Answer = AnswerStream;

    fn receive(
        transport: &dyn Transport,
        operation: &'static Operation,
        request: Request,
    ) -> impl Future<Output = Result<Received<StreamedResponse>>> + Send {
        let limit = request.response_limit;
        let response = transport.stream(request);
        async move {
            let response = response.await?;
            Ok(match operation.is_answer(response.status) {
                true => Received::Answer(response),
                false => Received::Refusal(response.read(limit).await?),
            })
        }
    }

    fn status_of(got: &StreamedResponse) -> StatusCode {
        got.status
    }

    fn coding_of(got: &StreamedResponse) -> Option<&'static str> {
        let has_body =
            got.status != StatusCode::NO_CONTENT && got.status != StatusCode::NOT_MODIFIED;
        coding::of(&got.headers).filter(|_| has_body)
    }

    fn answer(got: StreamedResponse, context: Context, in_flight: InFlight) -> AnswerStream {
        AnswerStream {
            status: got.status,
            headers: got.headers,
            reading: Some(Reading {
                body: got.body,
                _in_flight: in_flight,
            }),
            operation: context.operation,
            attempts: context.attempts,
            has_lost_attempt: context.has_lost_attempt,
            uri: context.uri,
            secrets: context.secrets,
            started: context.started,
            piece_limit: context.piece_limit,
            deadline: context.deadline,
        }
    }

    fn status(answer: &AnswerStream) -> StatusCode {
        answer.status()
    }
}

/// A successful answer whose body is still to be read.
///
/// Each piece must arrive within the time limit of an attempt. The limit of the whole call applies
/// only if it was set for this call, since a long answer may take long. The operation's limit on
/// the size of an answer does not apply, since nothing is kept. The answer counts as a request in
/// flight until its end; dropping it earlier abandons the rest and the connection. Observers are
/// notified of the call when the body begins.
pub struct AnswerStream {
    status: StatusCode,
    headers: HeaderMap,
    /// `None` after the end or an error, which releases the connection and the permit.
    reading: Option<Reading>,
    operation: &'static Operation,
    attempts: u32,
    has_lost_attempt: bool,
    uri: Uri,
    secrets: Secrets,
    started: Instant,
    piece_limit: Duration,
    deadline: Option<Instant>,
}

struct Reading {
    body: Box<dyn BodyStream>,
    /// The answer counts as a request in flight.
    _in_flight: InFlight,
}

impl AnswerStream {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the next piece of the body, or `None` at its end.
    ///
    /// Dropping the future loses nothing: a piece that has arrived is returned by the next call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] if no piece arrives in time, [`ErrorKind::Transport`] if the
    /// connection breaks before the end. Nothing follows an error.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(reading) = &mut self.reading else {
            return Ok(None);
        };
        let begun = Instant::now();
        let limit = after(begun, self.piece_limit);
        let (until, scope) = match self.deadline {
            Some(deadline) if deadline < limit => (deadline, TimeoutScope::Call),
            _ => (limit, TimeoutScope::Attempt),
        };
        let result = timeout_at(until, reading.body.next())
            .await
            .unwrap_or_else(|_| {
                let waited = in_words(until - begun);
                let message = format!("the rest of the answer did not come within {waited}");
                Err(Error::new(ErrorKind::Timeout(scope), message)
                    .with_retryable(true)
                    .with_sent(Sent::Maybe))
            });
        if !matches!(result, Ok(Some(_))) {
            self.reading = None;
        }
        result.map_err(|error| self.explain(error))
    }

    /// Creates an error for an answer whose content is invalid.
    #[must_use]
    pub fn decode_error(&self, message: impl AsRef<str>) -> Error {
        let message = Filter::of(&self.secrets).text(message.as_ref());
        self.explain(Error::new(ErrorKind::Decode, message).with_sent(Sent::Maybe))
    }

    fn explain(&self, error: Error) -> Error {
        let error = error
            .with_status(self.status)
            .with_attempts(self.attempts, self.started.elapsed())
            .with_lost_attempt(self.has_lost_attempt);
        self.operation.locate(error, &self.uri)
    }
}

impl fmt::Debug for AnswerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerStream")
            .field("operation", &self.operation.id())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

//! A network that decides what becomes of each request.

use std::fmt;
use std::sync::{Arc, Mutex};

use vouchsafe::core::call::Operation;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Error, ErrorKind, Result, Sent};

/// What becomes of a request.
pub(super) enum Then {
    Answer(Response),
    /// It is heard, and its answer is lost.
    Lost,
    /// It is passed to the emulator.
    Pass,
}

/// A network that decides by the request, and keeps those that it does not pass on.
pub(super) struct Network {
    inner: Arc<dyn Transport>,
    decide: Box<dyn Fn(&Request) -> Then + Send + Sync>,
    seen: Mutex<Vec<Request>>,
}

impl Network {
    pub(super) fn new(
        inner: Arc<dyn Transport>,
        decide: impl Fn(&Request) -> Then + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner,
            decide: Box::new(decide),
            seen: Mutex::default(),
        })
    }

    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Transport for Network {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let then = (self.decide)(&request);
        if !matches!(then, Then::Pass) {
            self.seen.lock().unwrap().push(request.clone());
        }
        Box::pin(async move {
            match then {
                Then::Pass => self.inner.send(request).await,
                Then::Answer(response) => Ok(response),
                Then::Lost => Err(Error::new(ErrorKind::Transport, "the connection broke")
                    .with_sent(Sent::Maybe)
                    .with_retryable(true)),
            }
        })
    }
}

/// Returns whether a request is one of an operation: its method, and a path that ends like the
/// template.
pub(super) fn is_of(operation: &Operation, request: &Request) -> bool {
    let template: Vec<&str> = operation.path().rsplit('/').collect();
    let path: Vec<&str> = request.uri.path().rsplit('/').collect();
    let fits =
        |(part, segment): (&&str, &&str)| part.is_empty() || part.contains('{') || part == segment;
    request.method == *operation.method()
        && path.len() >= template.len()
        && template.iter().zip(&path).all(fits)
}

//! What a network does to requests, before the server has seen them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::RETRY_AFTER;
use vouchsafe_astakos::Client;
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::call::Retry;
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, ConnectPhase, Error, ErrorKind, Result, Sent};

/// What becomes of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Arrives,
    /// There is no connection.
    IsNotSent,
    /// It arrives, and what passed it on answers with this status and `Retry-After` instead.
    IsRefused(u16, Option<u64>),
    /// The connection breaks at once, and the request arrives all the same so much later.
    IsLate(Duration),
}

/// A network that decides by the method and path of a request.
pub(super) struct Network {
    inner: Arc<dyn Transport>,
    fate: Box<Decide>,
}

type Decide = dyn Fn(&str, &str) -> Fate + Send + Sync;

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Transport for Network {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(async move {
            match (self.fate)(request.method.as_str(), request.uri.path()) {
                Fate::Arrives => self.inner.send(request).await,
                Fate::IsRefused(status, wait) => {
                    self.inner.send(request).await?;
                    let mut response = Response::new(StatusCode::from_u16(status).unwrap());
                    if let Some(wait) = wait {
                        response.headers.insert(RETRY_AFTER, wait.into());
                    }
                    response.body = "<html>too busy</html>".into();
                    Ok(response)
                }
                Fate::IsNotSent => Err(Error::new(
                    ErrorKind::Connect(ConnectPhase::Tcp),
                    "no server listens",
                )
                .with_sent(Sent::No)
                .with_retryable(true)),
                Fate::IsLate(late) => {
                    let inner = Arc::clone(&self.inner);
                    // It is on its way, whatever becomes of the process that sent it.
                    tokio::spawn(async move {
                        tokio::time::sleep(late).await;
                        let _ = inner.send(request).await;
                    });
                    Err(Error::new(ErrorKind::Transport, "the connection broke")
                        .with_sent(Sent::Maybe)
                        .with_retryable(true))
                }
            }
        })
    }
}

pub(super) const ISSUE: (&str, &str) = ("POST", "/commissions");
pub(super) const RESOLVE: (&str, &str) = ("POST", "/commissions/action");

/// A client of a server in this process, over a network.
pub(super) fn client_over(
    server: &Server,
    fate: impl Fn(&str, &str) -> Fate + Send + Sync + 'static,
) -> Client {
    let network = Network {
        inner: server.host().transport(),
        fate: Box::new(fate),
    };
    Client::builder()
        .transport(Arc::new(network))
        .auth_url(server.auth_url())
        .token(server.service_token("cyclades").unwrap())
        .retry(Retry::none())
        .build()
        .unwrap()
}

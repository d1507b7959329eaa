//! Puts service tickets on outgoing requests: as a tower layer, and for clients of this workspace.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderName, Request, Uri};
use tower_layer::Layer;
use tower_service::Service;
use vouchsafe_core::BoxFuture;
use vouchsafe_core::auth::{Authorize as _, HeaderToken, Token, TokenSource};
use vouchsafe_core::server::CheckFuture;
use vouchsafe_core::url::is_loopback_address;

use super::{SERVICE_TICKET, TicketSource};
use crate::engine::check::peek_expiration;
use crate::engine::ids::TvmId;
use crate::error::{Error, ErrorKind, Result};

/// Puts a service ticket for one destination on every request of a client that is a tower service.
///
/// The header `X-Ya-Service-Ticket` is marked sensitive. An existing one is replaced, since it
/// would be another service's ticket, such as that of a proxy's caller. A request without a ticket
/// is not sent; its error is the [`Error`](crate::Error) of the source, boxed.
///
/// A ticket is sent over TLS or to a loopback address only, unless
/// [`allow_plain_http`](Self::allow_plain_http) is called. The name `localhost` is not enough: the
/// layer does not see which address the client behind it connects to. A request without scheme and
/// host counts as plain, since its destination is unknown.
///
/// **Redirects.** A client that follows redirects may copy the header to another host or, if
/// redirects are followed outside of this layer, get another ticket for that host. Clients of this
/// workspace never follow redirects. With one that does, set the host with
/// [`only_to`](Self::only_to), and put this layer inside of the part that follows redirects.
///
/// ```
/// use tower_layer::Layer as _;
/// use vouchsafe_ticket::TvmId;
/// use vouchsafe_ticket::server::{OutgoingTicketLayer, TicketSource};
///
/// /// Wraps a client, such as hyper-util's, whose requests go to the service 100500.
/// fn with_ticket<C>(client: C, tickets: impl TicketSource) -> impl Sized {
///     OutgoingTicketLayer::new(tickets, TvmId::new(100_500))
///         .only_to("api.example.org")
///         .layer(client)
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct OutgoingTicketLayer {
    source: Arc<dyn TicketSource>,
    dst: TvmId,
    host: Option<Arc<str>>,
    plain_http: PlainHttp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PlainHttp {
    LoopbackOnly,
    Allowed,
}

impl OutgoingTicketLayer {
    /// Creates a layer that gets a ticket for a destination from a source for each request.
    pub fn new(source: impl TicketSource, dst: TvmId) -> Self {
        Self {
            source: Arc::new(source),
            dst,
            host: None,
            plain_http: PlainHttp::LoopbackOnly,
        }
    }

    /// Sends requests to this host only, and fails those to others. The name has no port; case is
    /// ignored. Default: any host.
    pub fn only_to(mut self, host: impl Into<Arc<str>>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Permits tickets over plain `http` to other machines too, and on requests without scheme and
    /// host. Default: only to loopback addresses.
    pub fn allow_plain_http(mut self) -> Self {
        self.plain_http = PlainHttp::Allowed;
        self
    }

    /// Puts the ticket on a request. This is all that the layer does, for clients that are not
    /// tower services.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BrokenSettings`] if the ticket may not be sent to the request's destination;
    /// otherwise those of the source.
    pub fn authorize<B>(&self, request: &mut Request<B>) -> Result<()> {
        self.may_go(request.uri())?;
        let ticket = self.source.service_ticket(self.dst)?;
        service_ticket_header().authorize(&Token::new(ticket), request.headers_mut())?;
        Ok(())
    }

    fn may_go(&self, uri: &Uri) -> Result<()> {
        let refused = |why: &str| Err(Error::new(ErrorKind::BrokenSettings, why));
        let host = uri.host().unwrap_or_default();
        if self
            .host
            .as_ref()
            .is_some_and(|only| !only.eq_ignore_ascii_case(host))
        {
            return refused("a service ticket may go to the host only that the layer was made for");
        }
        let is_safe = match uri.scheme_str() {
            Some("https") => true,
            Some(_) => is_loopback_address(host),
            None => false,
        };
        if !is_safe && self.plain_http == PlainHttp::LoopbackOnly {
            return refused(
                "a service ticket goes over plain http to a loopback address only: use https, or \
                 call allow_plain_http",
            );
        }
        Ok(())
    }
}

impl<S> Layer<S> for OutgoingTicketLayer {
    type Service = OutgoingTicketService<S>;

    fn layer(&self, inner: S) -> OutgoingTicketService<S> {
        OutgoingTicketService {
            inner,
            outgoing: self.clone(),
        }
    }
}

/// A client behind an [`OutgoingTicketLayer`].
#[derive(Clone, Debug)]
pub struct OutgoingTicketService<S> {
    inner: S,
    outgoing: OutgoingTicketLayer,
}

/// Any error, as is usual for tower services with several causes.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl<S, B> Service<Request<B>> for OutgoingTicketService<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = CheckFuture<S::Future, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        match self.outgoing.authorize(&mut request) {
            Ok(()) => CheckFuture::waiting(self.inner.call(request)),
            Err(error) => CheckFuture::known(Err(error.into())),
        }
    }
}

/// Service tickets for one destination as tokens, for clients of this workspace: with
/// [`service_ticket_header`] to put them on requests.
///
/// ```
/// use vouchsafe_core::auth::Credentials;
/// use vouchsafe_ticket::TvmId;
/// use vouchsafe_ticket::server::{TicketSource, TicketTokens, service_ticket_header};
///
/// fn present(tickets: impl TicketSource) {
///     let tokens = TicketTokens::new(tickets, TvmId::new(100_500));
///     let header = service_ticket_header();
///     let credentials = Credentials::new(&tokens, &header);
///     // To be given to `CoreClient::send`.
/// #   let _ = credentials;
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TicketTokens {
    source: Arc<dyn TicketSource>,
    dst: TvmId,
}

impl TicketTokens {
    /// Gets a ticket for a destination from a source for each attempt.
    #[must_use]
    pub fn new(source: impl TicketSource, dst: TvmId) -> Self {
        Self {
            source: Arc::new(source),
            dst,
        }
    }

    /// A source renews its tickets by age, not after a refusal. All have the same generation, so
    /// that a request is not sent again with the same ticket after a 401.
    fn current(&self) -> Result<Token> {
        let ticket = self.source.service_ticket(self.dst)?;
        let expiry = peek_expiration(ticket.expose())
            .and_then(|time| u64::try_from(time).ok())
            .and_then(|time| UNIX_EPOCH.checked_add(Duration::from_secs(time)));
        let token = Token::new(ticket);
        Ok(match expiry {
            Some(at) => token.expires_at(at),
            None => token,
        })
    }
}

impl TokenSource for TicketTokens {
    fn token(&self) -> BoxFuture<'_, vouchsafe_core::Result<Token>> {
        let token = self.current().map_err(|error| {
            let message = error.message().to_owned();
            vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Credential, message)
                .with_retryable(error.is_retryable())
                .with_source(error)
        });
        Box::pin(std::future::ready(token))
    }
}

/// Puts a service ticket on a request as `X-Ya-Service-Ticket`.
#[must_use]
pub fn service_ticket_header() -> HeaderToken {
    HeaderToken::new(HeaderName::from_static(SERVICE_TICKET))
}

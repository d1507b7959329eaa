//! The layer that reads the ingress's headers. The headers themselves are parsed in `identity.rs`;
//! trusted peers are defined in `peers.rs`.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, HeaderMap, Request, Response};
use tower_layer::Layer;
use vouchsafe_core::server::{Check, CheckService};

use super::identity::{Seen, strip, tidy};
use super::{CheckedUser, Identity, PeerAddr, Refusal, RefusalKind, TrustedPeers};

/// Identifies the user of a request from the headers that Gafaelfawr's ingress sets, for trusted
/// peers only, and adds an [`Identity`] to the request's extensions.
///
/// | the request | by default | otherwise |
/// | --- | --- | --- |
/// | from a trusted peer, with a user name | passes, with an [`Identity`] | |
/// | from a trusted peer, without any of the headers | 500 `ingress_missing` | passes without an identity ([`allow_anonymous`](Self::allow_anonymous)) |
/// | from a trusted peer, with a repeated header, an invalid name or token, or other headers but no user | 500 `ingress_invalid` | |
/// | from another peer, whatever its headers | 403 `untrusted_peer` | loses the headers and passes without an identity ([`strip_untrusted`](Self::strip_untrusted)) |
/// | from a peer whose address is not known | 500 `peer_unknown` | |
///
/// A missing header is 500 rather than 401: new credentials would not help, since the service is
/// deployed without Gafaelfawr in front. Missing and empty headers are treated alike. Every refusal
/// in this table is logged as a warning, without the values of headers. Routes that are reached
/// without the ingress, such as health checks, belong outside of the layer.
///
/// The peer is the other end of the connection. Its address is taken from the [`PeerAddr`]
/// extension, or with the function set by [`peer_address`](Self::peer_address).
///
/// ```
/// use http::Request;
/// use vouchsafe_userinfo::server::{Identity, IngressLayer, PeerAddr, RefusalKind};
///
/// let ingress = IngressLayer::new("10.42.0.0/16".parse()?);
/// let from = |peer: &str| {
///     Request::builder()
///         .header("X-Auth-Request-User", "ada")
///         .extension(PeerAddr(peer.parse().unwrap()))
///         .body(())
/// };
///
/// // What the layer does with each request:
/// let mut request = from("10.42.0.7:4711")?;
/// ingress.check(&mut request)?;
/// assert_eq!(Identity::of(request.extensions())?.username.as_str(), "ada");
///
/// let mut forged = from("192.0.2.1:4711")?;
/// let refusal = ingress.check(&mut forged).unwrap_err();
/// assert_eq!(refusal.kind(), RefusalKind::UntrustedPeer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct IngressLayer {
    peers: TrustedPeers,
    address: Option<AddressOf>,
    anonymous: Then,
    untrusted: Then,
}

type AddressOf = Arc<dyn Fn(&Extensions) -> Option<IpAddr> + Send + Sync>;

/// What happens to a request without a trusted identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Refuse,
    Pass,
}

impl IngressLayer {
    /// Creates a layer that trusts these peers and refuses requests without an identity.
    #[must_use]
    pub fn new(peers: TrustedPeers) -> Self {
        Self {
            peers,
            address: None,
            anonymous: Then::Refuse,
            untrusted: Then::Refuse,
        }
    }

    /// Sets the function that returns the address of the peer. Default: read [`PeerAddr`].
    ///
    /// With axum that is `ConnectInfo`:
    ///
    /// ```
    /// use std::net::SocketAddr;
    ///
    /// use axum::Router;
    /// use axum::extract::ConnectInfo;
    /// use axum::routing::get;
    /// use vouchsafe_userinfo::server::{Identity, IngressLayer, TrustedPeers};
    ///
    /// let ingress = IngressLayer::new("10.42.0.0/16".parse()?).peer_address(|extensions| {
    ///     let peer = extensions.get::<ConnectInfo<SocketAddr>>()?;
    ///     Some(peer.0.ip())
    /// });
    /// let app = Router::new()
    ///     .route("/", get(async |who: Identity| format!("Hello, {}!", who.username)))
    ///     .layer(ingress);
    /// // Without this there is no `ConnectInfo`, and every request is refused.
    /// let service = app.into_make_service_with_connect_info::<SocketAddr>();
    /// # let _ = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Never take the address from a header: any client can send one. A Unix socket has no address;
    /// `|_| Some(Ipv4Addr::LOCALHOST.into())` with [`TrustedPeers::loopback`] trusts every process
    /// that may open the socket.
    #[must_use]
    pub fn peer_address(
        mut self,
        address: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.address = Some(Arc::new(address));
        self
    }

    /// Accepts requests of trusted peers without any of the headers, such as those from an
    /// anonymous ingress.
    ///
    /// They have no identity: [`Identity::of`] and the extractors refuse them with 401, and an
    /// `Option<Identity>` is `None`. An ingress that lacks authentication by mistake is then no
    /// longer detected.
    #[must_use]
    pub fn allow_anonymous(mut self) -> Self {
        self.anonymous = Then::Pass;
        self
    }

    /// Accepts requests of untrusted peers without an identity, after removing all headers with the
    /// prefix `X-Auth-Request-`.
    #[must_use]
    pub fn strip_untrusted(mut self) -> Self {
        self.untrusted = Then::Pass;
        self
    }

    /// Adds the identity to a request, or returns a refusal.
    ///
    /// This is all that the layer does, for servers that do not use tower. The headers of a refused
    /// request are unchanged, except that those of an untrusted peer are always removed.
    ///
    /// # Errors
    ///
    /// See the table above. The refusal has already been logged.
    pub fn check<B>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let peer = self.peer_of(request.extensions());
        let found = self
            .identify(peer, request.headers_mut())
            .map_err(|refusal| refusal.with_peer(peer).logged())?;
        let extensions = request.extensions_mut();
        extensions.insert(Seen);
        // Only this layer decides the identity, so one set by an outer layer is removed.
        extensions.remove::<Identity>();
        extensions.remove::<CheckedUser>();
        if let Some(identity) = found {
            extensions.insert(identity);
        }
        Ok(())
    }

    fn identify(
        &self,
        peer: Option<IpAddr>,
        headers: &mut HeaderMap,
    ) -> Result<Option<Identity>, Refusal> {
        // Called only once, because the function may return different results.
        if !peer.is_some_and(|peer| self.peers.contains(peer)) {
            strip(headers);
            return match (peer, self.untrusted) {
                (None, _) => Err(Refusal::new(
                    RefusalKind::PeerUnknown,
                    "This service does not know where its connections come from: put \
                     userinfo::server::PeerAddr into the extensions of requests, or tell \
                     IngressLayer::peer_address where else to look (in axum: ConnectInfo)",
                )),
                (Some(_), Then::Pass) => Ok(None),
                (Some(_), Then::Refuse) => Err(Refusal::new(
                    RefusalKind::UntrustedPeer,
                    "This service is reached through its ingress only",
                )),
            };
        }
        tidy(headers);
        match Identity::read(headers)? {
            None if self.anonymous == Then::Refuse => Err(Refusal::new(
                RefusalKind::IngressMissing,
                "The request did not pass Gafaelfawr: X-Auth-Request-User is missing, the \
                 ingress in front of this service does not authenticate",
            )),
            found => Ok(found),
        }
    }

    fn peer_of(&self, extensions: &Extensions) -> Option<IpAddr> {
        match &self.address {
            Some(address) => address(extensions),
            None => extensions.get::<PeerAddr>().map(|peer| peer.0.ip()),
        }
    }
}

impl fmt::Debug for IngressLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngressLayer")
            .field("peers", &self.peers)
            .field("anonymous", &self.anonymous)
            .field("untrusted", &self.untrusted)
            .finish_non_exhaustive()
    }
}

impl Check for IngressLayer {
    fn check<A, B: From<Bytes>>(&self, request: &mut Request<A>) -> Result<(), Response<B>> {
        self.check(request).map_err(|refusal| refusal.to_response())
    }
}

impl<S> Layer<S> for IngressLayer {
    type Service = IngressService<S>;

    fn layer(&self, inner: S) -> IngressService<S> {
        IngressService::new(inner, Arc::new(self.clone()))
    }
}

/// A service behind an [`IngressLayer`].
pub type IngressService<S> = CheckService<S, IngressLayer>;

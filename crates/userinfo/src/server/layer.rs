//! The layer that reads the ingress's headers. What the headers say is in `identity.rs`, whom it
//! believes in `peers.rs`.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, HeaderMap, Request, Response};
use tower_layer::Layer;
use vouchsafe_core::server::{Check, CheckService};

use super::identity::{Seen, strip, tidy};
use super::{CheckedUser, Identity, PeerAddr, Refusal, RefusalKind, TrustedPeers};

/// Reads who a request is from out of the headers that Gafaelfawr's ingress sets, from trusted
/// peers only, and puts an [`Identity`] into the request's extensions.
///
/// | the request | by default | otherwise |
/// | --- | --- | --- |
/// | of a trusted peer, with a user name | passes, with an [`Identity`] | |
/// | of a trusted peer, with none of the headers | 500 `ingress_missing` | passes without an identity ([`allow_anonymous`](Self::allow_anonymous)) |
/// | of a trusted peer, with a header twice, a name or token that cannot be, or others without the user | 500 `ingress_invalid` | |
/// | of another peer, whatever its headers | 403 `untrusted_peer` | loses the headers and passes without an identity ([`strip_untrusted`](Self::strip_untrusted)) |
/// | of a peer whose address is not known | 500 `peer_unknown` | |
///
/// A missing header is 500 rather than 401: new credentials would not help, somebody has to put
/// Gafaelfawr in front. Absent and empty headers are the same. Every refusal in this table is
/// logged as a warning, without values of headers. Routes that are reached past the ingress,
/// such as health checks, belong outside of the layer.
///
/// The peer is who opened the connection. Its address is taken from the [`PeerAddr`] extension,
/// or from where [`peer_address`](Self::peer_address) says.
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

/// What becomes of a request without an identity that can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Refuse,
    Pass,
}

impl IngressLayer {
    /// Makes a layer that believes these peers and lets no request pass without an identity.
    #[must_use]
    pub fn new(peers: TrustedPeers) -> Self {
        Self {
            peers,
            address: None,
            anonymous: Then::Refuse,
            untrusted: Then::Refuse,
        }
    }

    /// Sets where the address of the peer is found, if not in [`PeerAddr`].
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
    /// Never take the address from a header: anyone can send one. For a Unix socket, which has
    /// no address, `|_| Some(Ipv4Addr::LOCALHOST.into())` with [`TrustedPeers::loopback`] says
    /// that whoever may open the socket is trusted.
    #[must_use]
    pub fn peer_address(
        mut self,
        address: impl Fn(&Extensions) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.address = Some(Arc::new(address));
        self
    }

    /// Lets requests of trusted peers pass that carry none of the headers, as those that come
    /// through an anonymous ingress do.
    ///
    /// They have no identity: [`Identity::of`] and the extractors refuse them with 401, an
    /// `Option<Identity>` is `None`. An ingress that lacks authentication by mistake is no
    /// longer noticed.
    #[must_use]
    pub fn allow_anonymous(mut self) -> Self {
        self.anonymous = Then::Pass;
        self
    }

    /// Lets requests of untrusted peers pass, without an identity, after everything under
    /// `X-Auth-Request-` is taken away from them.
    #[must_use]
    pub fn strip_untrusted(mut self) -> Self {
        self.untrusted = Then::Pass;
        self
    }

    /// Marks a request with who it is from, or says why it may not pass.
    ///
    /// This is all that the layer does, for servers that are not made of tower services. The
    /// headers of a request that is refused are untouched, except that those of an untrusted
    /// peer are gone in any case.
    ///
    /// # Errors
    ///
    /// As in the table above, logged already.
    pub fn check<B>(&self, request: &mut Request<B>) -> Result<(), Refusal> {
        let peer = self.peer_of(request.extensions());
        let found = self
            .identify(peer, request.headers_mut())
            .map_err(|refusal| refusal.with_peer(peer).logged())?;
        let extensions = request.extensions_mut();
        extensions.insert(Seen);
        // Nobody but this layer says who it is, not even another layer further out.
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
        // Asked once: a function may change its mind.
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

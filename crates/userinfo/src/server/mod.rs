//! For services behind a Gafaelfawr ingress: who a request is from, and whether they may.
//!
//! The ingress authenticates and tells the service by headers. Anyone who reaches the service
//! past the ingress can send the same headers, so [`IngressLayer`] reads them from trusted peers
//! only and refuses everything else loudly.
//!
//! | part | does |
//! | --- | --- |
//! | [`IngressLayer`] | a tower layer: headers in, an [`Identity`] in the request's extensions out |
//! | [`TrustedPeers`] | who is the ingress: addresses, networks, or a function |
//! | [`Refusal`] | why a request does not pass, and the answer |
//! | `User`, `Email`, `DelegatedToken`, `CallingService`, [`Identity`] | extractors (feature `axum`) |
//!
//! Nothing here needs an HTTP client or server: the feature `server` brings `tower-layer` and
//! `tower-service`, the feature `axum` brings `axum-core`.

#[cfg(feature = "axum")]
mod extract;
mod identity;
mod layer;
mod peers;
mod refusal;

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use extract::{CallingService, DelegatedToken, Email, User};
pub use identity::Identity;
pub use layer::{IngressLayer, IngressService};
pub use peers::{Network, NetworkError, PeerAddr, TrustedPeers};
pub use refusal::{Refusal, RefusalKind};

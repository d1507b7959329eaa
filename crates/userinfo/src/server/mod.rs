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
//! | [`Guard`] | lets in who is in a group, or has quota: a tower layer, or asked in a handler |
//! | [`CheckedUser`] | the user with a token that is found to be the user's own: what a guard leaves (an extractor with the feature `axum`) |
//! | [`Refusal`] | why a request does not pass, and the answer; an [`Error`](crate::Error) of a call becomes one by `?` |
//! | `User`, `Email`, `DelegatedToken`, `CallingService`, [`Identity`] | extractors (feature `axum`) |
//!
//! A service on axum that greets everyone who comes through the ingress, and has one page for a
//! group:
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use axum::Router;
//! use axum::extract::ConnectInfo;
//! use axum::routing::get;
//! use vouchsafe_userinfo::server::{CheckedUser, Guard, IngressLayer, User};
//! use vouchsafe_userinfo::{Client, GroupName};
//!
//! async fn colleague(user: CheckedUser) -> String {
//!     format!("Hello, {}, member of {} groups!", user.username, user.groups.len())
//! }
//!
//! # fn app() -> Result<Router, Box<dyn std::error::Error>> {
//! let client = Client::builder()
//!     .repertoire_url("https://data.example.org/repertoire")
//!     .build()?;
//! let staff = Guard::new(client).require_group(GroupName::parse("staff")?);
//! let ingress = IngressLayer::new("10.42.0.0/16".parse()?)
//!     .peer_address(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
//!
//! let app = Router::new()
//!     .route("/", get(async |User(name): User| format!("Hello, {name}!")))
//!     .route("/staff", get(colleague).layer(staff))
//!     .layer(ingress)
//!     // Asked by Kubernetes itself, past the ingress.
//!     .route("/health", get(async || "well"));
//! // To be served with app.into_make_service_with_connect_info::<SocketAddr>().
//! # Ok(app)
//! # }
//! # app().unwrap();
//! ```
//!
//! The guard asks Gafaelfawr with the token that the ingress delegates, so the `GafaelfawrIngress`
//! of the service needs the setting `config.delegate`.
//!
//! Nothing here needs an HTTP server, nor, but for asking guards, an HTTP client: the feature `server` brings `tower-layer` and
//! `tower-service`, the feature `axum` brings `axum-core`.

#[cfg(feature = "axum")]
mod extract;
mod guard;
mod identity;
mod layer;
mod peers;
mod refusal;

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use extract::{CallingService, DelegatedToken, Email, User};
pub use guard::{CheckedUser, Guard, GuardService, UserLookup};
pub use identity::Identity;
pub use layer::{IngressLayer, IngressService};
pub use peers::{Network, NetworkError, PeerAddr, TrustedPeers};
pub use refusal::{Refusal, RefusalKind};
pub use vouchsafe_core::server::Failure;

//! For services behind a Gafaelfawr ingress: identifies the user of a request and checks
//! permissions.
//!
//! The ingress authenticates users and passes the result in headers. Any client that reaches the
//! service without the ingress can send the same headers, so [`IngressLayer`] accepts them from
//! trusted peers only and refuses all other requests.
//!
//! | part | does |
//! | --- | --- |
//! | [`IngressLayer`] | a tower layer that reads the headers and adds an [`Identity`] to the request's extensions |
//! | [`TrustedPeers`] | the addresses of the ingress: addresses, networks, or a function |
//! | [`Guard`] | admits members of a group, or users with quota: a tower layer, or called in a handler |
//! | [`CheckedUser`] | a user with a token that has been verified to be the user's own, added by a guard (an extractor with the feature `axum`) |
//! | [`Refusal`] | why a request was refused, and the answer; `?` converts the [`Error`](crate::Error) of a call into one |
//! | `User`, `Email`, `DelegatedToken`, `CallingService`, [`Identity`] | extractors (feature `axum`) |
//!
//! An axum service that greets every user who comes through the ingress, and has one page for a
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
//! Nothing here needs an HTTP server, and only guards need an HTTP client. The feature `server`
//! depends on `tower-layer` and `tower-service`, the feature `axum` on `axum-core`.

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

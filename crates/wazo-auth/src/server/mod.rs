//! For services that accept tokens of wazo-auth: identifies the sender of a request, and checks
//! that the token covers the access of a route.
//!
//! | part | does |
//! | --- | --- |
//! | [`Tokens`] | looks up each token at wazo-auth once, and caches it for a while |
//! | [`TokenLayer`] | a tower layer that reads token and tenant of a request and adds a [`Caller`] to its extensions |
//! | [`Guard`] | a tower layer that admits callers whose token covers the access of a route |
//! | [`Caller`] | the sender of a request; an extractor with the feature `axum` |
//! | [`Refusal`] | why a request was refused, and the answer, in the service's own form |
//!
//! An axum service with a route for everyone who has a token, and one that needs an access:
//!
//! ```
//! use axum::Router;
//! use axum::routing::get;
//! use vouchsafe_wazo_auth::Client;
//! use vouchsafe_wazo_auth::server::{Caller, Guard, TokenLayer, Tokens};
//!
//! # fn app() -> Result<Router, Box<dyn std::error::Error>> {
//! let client = Client::builder().host("wazo.example.com").build()?;
//! let read = Guard::for_path("/users/{user_uuid}", "confd.users.{user_uuid}.read")?;
//!
//! let app = Router::new()
//!     .route("/users/{user_uuid}", get(async || "a user").layer(read))
//!     .route("/", get(async |caller: Caller| format!("Hello, {}!", caller.info().auth_id)))
//!     .layer(TokenLayer::new(Tokens::new(client)));
//! # Ok(app)
//! # }
//! # app().unwrap();
//! ```
//!
//! If wazo-auth cannot be reached, the answer is 503: no request is admitted because of that. A
//! guard on a route without the layer refuses all requests.

mod caller;
#[cfg(feature = "axum")]
mod extract;
mod guard;
mod introspect;
mod layer;
mod path;
mod refusal;
mod tokens;

pub use caller::Caller;
pub use guard::{Guard, GuardError, GuardService};
pub use introspect::Introspect;
pub use layer::{TokenLayer, TokenService};
pub use refusal::{Refusal, RefusalKind};
pub use tokens::{Tokens, TokensBuilder};
pub use vouchsafe_core::server::Failure;

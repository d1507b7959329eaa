//! For services that accept tokens of wazo-auth: who sent a request, and whether the token covers
//! what a route needs.
//!
//! | part | does |
//! | --- | --- |
//! | [`Tokens`] | asks wazo-auth what a token is, once, and remembers it for a while |
//! | [`TokenLayer`] | a tower layer that reads token and tenant of a request and adds a [`Caller`] to its extensions |
//! | [`Guard`] | a tower layer that admits callers whose token covers the access of a route |
//! | [`Caller`] | who sent a request; an extractor with the feature `axum` |
//! | [`Refusal`] | why a request was refused, and the answer, as the service itself gives it |
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
//! If wazo-auth cannot be asked, the answer is 503: no request ever passes because of that. A guard
//! on a route without the layer refuses all requests.

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

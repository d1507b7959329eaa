//! Layers for services that are called with tickets, or call others with them.
//!
//! | part | does |
//! | --- | --- |
//! | [`TicketLayer`] | a tower layer: headers in, checked tickets in the request's extensions out |
//! | [`Guard`] | rules for single routes: sources, roles, scopes |
//! | [`ServiceTicket`], [`UserTicket`] | the checked tickets of a request; with the feature `axum` extractors |
//! | [`ServiceRoles`], [`UserRoles`] | a ticket with the roles for authorizing it in a handler; extractors too |
//! | [`Refusal`] | why a request is refused, and the answer; `?` converts an [`Error`](crate::Error) of a client |
//! | [`OutgoingTicketLayer`] | a tower layer for clients: puts a service ticket on each request |
//! | [`TicketTokens`] | the same for the clients of this workspace |
//! | [`TicketChecker`], [`TicketSource`] | traits for checking tickets and for getting them |
//! | [`ContextChecker`] | checks with keys that never change, without a client |
//!
//! An axum service that two others may call, with one route for callers that have a role:
//!
//! ```
//! use axum::Router;
//! use axum::routing::{get, post};
//! use vouchsafe_ticket::TvmId;
//! use vouchsafe_ticket::server::{Guard, ServiceTicket, TicketChecker, TicketLayer, UserTicket};
//!
//! async fn greet(caller: ServiceTicket, user: Option<UserTicket>) -> String {
//!     match user {
//!         Some(user) => format!("Hello, {}, by way of {}!", user.default_uid(), caller.src()),
//!         None => format!("Hello, {}!", caller.src()),
//!     }
//! }
//!
//! fn app(checker: impl TicketChecker) -> Router {
//!     let tickets = TicketLayer::new(checker).allow_sources([TvmId::new(41), TvmId::new(42)]);
//!     Router::new()
//!         .route("/", get(greet))
//!         .route("/items", post(async || "written").layer(Guard::new().require_service_role("/write/")))
//!         .layer(tickets)
//!         // For callers without a ticket.
//!         .route("/ping", get(async || "OK"))
//! }
//! ```
//!
//! Nothing here needs an HTTP server or client: the feature `server` brings `tower-layer` and
//! `tower-service`, the feature `axum` brings `axum-core`.

mod checker;
#[cfg(feature = "axum")]
mod extract;
mod guard;
mod layer;
mod outgoing;
mod refusal;
mod tickets;

pub use checker::{ContextChecker, TicketChecker, TicketSource};
pub use guard::{Guard, GuardService};
pub use layer::{Presence, TicketLayer, TicketService};
pub use outgoing::{
    OutgoingTicketLayer, OutgoingTicketService, TicketTokens, service_ticket_header,
};
pub use refusal::{Refusal, RefusalKind};
pub use tickets::{ServiceRoles, ServiceTicket, UserRoles, UserTicket};
pub use vouchsafe_core::server::Failure;

use crate::engine::text::TicketType;

/// The header of service tickets, in lower case as in header maps.
const SERVICE_TICKET: &str = "x-ya-service-ticket";
/// The header of user tickets.
const USER_TICKET: &str = "x-ya-user-ticket";

/// Returns the usual spelling of a ticket's header.
const fn header_of(ticket_type: TicketType) -> &'static str {
    match ticket_type {
        TicketType::Service => "X-Ya-Service-Ticket",
        TicketType::User => "X-Ya-User-Ticket",
    }
}

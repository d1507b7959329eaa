//! Tickets, keys and roles: everything that works without a network.

pub mod base64url;
pub(crate) mod cache;
pub(crate) mod check;
pub(crate) mod checked;
pub(crate) mod container;
pub(crate) mod debug_info;
pub(crate) mod env;
pub(crate) mod ids;
pub(crate) mod inspect;
pub(crate) mod message;
pub(crate) mod mint;
pub mod query;
pub(crate) mod redact;
pub(crate) mod roles;
pub mod rw;
pub(crate) mod secret;
pub(crate) mod status;
pub(crate) mod text;
pub(crate) mod wire;

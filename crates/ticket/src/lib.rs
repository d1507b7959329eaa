//! TVM service and user tickets: checking, signing, roles.

#[doc(hidden)]
pub mod base64url;
pub mod rw;

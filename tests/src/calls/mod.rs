//! Every operation of the services by its id, with arguments that hold planted secrets, for tests of all
//! operations. A new operation must be told there how it is called; services whose operations have
//! names need nothing.

#![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

pub mod astakos;
pub mod userinfo;
pub mod wazo_auth;

//! Compares Vouchsafe with other clients and caches; shared by the programs.

pub mod astakos;
pub mod client;
pub mod core;
pub mod counted;
pub mod credentials;
pub mod instructions;
pub mod measure;
pub mod process;
pub mod python;
pub mod server;
pub mod ticket;
pub mod userinfo;
pub mod wazo_auth;

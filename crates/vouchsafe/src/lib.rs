//! Clients for the services that say who a caller is and what they may do.

pub use vouchsafe_core as core;
#[cfg(feature = "userinfo")]
#[cfg_attr(docsrs, doc(cfg(feature = "userinfo")))]
pub use vouchsafe_userinfo as userinfo;

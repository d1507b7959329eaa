#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub use vouchsafe_core as core;
#[cfg(feature = "userinfo")]
#[cfg_attr(docsrs, doc(cfg(feature = "userinfo")))]
pub use vouchsafe_userinfo as userinfo;

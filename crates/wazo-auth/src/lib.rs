#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[expect(
    dead_code,
    reason = "the client, which reads refusals, is the next change"
)]
mod error;

pub use error::{Error, ErrorBody, ErrorKind, Result};
pub use vouchsafe_core as core;

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod store;

pub use store::{VaultStore, VaultStoreBuilder};

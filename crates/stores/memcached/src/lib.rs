#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod server;
mod store;
mod wire;

pub use store::{MemcachedStore, MemcachedStoreBuilder};

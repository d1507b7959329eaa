#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod server;
mod store;

pub use store::{NatsStore, NatsStoreBuilder};

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod leases;
mod server;
#[cfg(test)]
mod stand_in;
mod store;

pub use store::{MongoStore, MongoStoreBuilder};

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod api;
mod leases;
mod store;
mod wire;

pub use store::{EtcdStore, EtcdStoreBuilder};

#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod keyring;
#[cfg(any(test, windows, target_os = "macos"))]
mod native;
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
mod secret_service;
mod store;

pub use store::{KeyringStore, KeyringStoreBuilder};

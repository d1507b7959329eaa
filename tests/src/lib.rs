//! What needs several crates at once: recorded vectors, and clients in other languages.

pub mod interop;
pub mod vectors;

/// The examples of the workspace's README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[derive(Debug)]
#[non_exhaustive]
pub struct Readme;

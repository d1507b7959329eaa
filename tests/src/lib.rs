//! What needs several crates at once: recorded vectors, and clients in other languages.

pub mod interop;
pub mod vectors;

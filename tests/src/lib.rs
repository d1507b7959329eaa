//! What needs several crates at once.

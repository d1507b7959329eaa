//! Automation of this workspace: `cargo xtask`.

fn main() {}

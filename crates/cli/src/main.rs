//! The program `vouchsafe`.

fn main() {}

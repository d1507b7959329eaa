//! The program `vouchsafe`: a demo, the emulators over TCP, and commands for people.

mod args;
mod astakos;
mod connection;
mod demo;
mod discovery;
mod failure;
mod output;
mod serve;
mod services;
mod ticket;
mod token;
mod userinfo;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::run(std::env::args_os().collect())
}

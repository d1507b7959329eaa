//! The program `vouchsafe`: a demo, the emulators over TCP, and commands for people.

mod args;
#[path = "services/astakos/commands/mod.rs"]
mod astakos;
mod connection;
#[path = "stage.rs"]
mod demo;
#[path = "services/userinfo/discovery.rs"]
mod discovery;
mod failure;
mod output;
mod serve;
mod services;
#[path = "services/ticket/commands/mod.rs"]
mod ticket;
mod token;
#[path = "services/userinfo/commands.rs"]
mod userinfo;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::run(std::env::args_os().collect())
}

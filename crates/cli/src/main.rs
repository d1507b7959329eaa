//! The program `vouchsafe`: a demo, the emulators over TCP, and commands for people.

mod args;
mod connection;
mod demo;
mod failure;
mod files;
mod output;
mod serve;
mod services;
mod stage;
mod terminal;
mod token;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::run(std::env::args_os().collect())
}

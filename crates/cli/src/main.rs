//! The program `vouchsafe`: a demo, the emulators over TCP, and commands for people.

mod args;
mod connection;
mod demo;
mod described;
mod failure;
mod files;
mod hosted;
mod output;
mod progress;
mod prompt;
mod secret;
mod serve;
mod service;
mod services;
mod stage;
mod terminal;
mod token;

use std::process::ExitCode;

fn main() -> ExitCode {
    args::run(std::env::args_os().collect())
}

//! tvm-api, tirole and tvmtool.

mod commands;
mod demo;
mod emulator;
mod failure;

use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use serde_json::Value;
use vouchsafe::core::BoxFuture;
use vouchsafe::ticket::redact;

use self::commands::{TicketArgs, ticket_in};
use self::emulator::TvmArgs;
use crate::failure::Failure;
use crate::service::{Done, Emulator, Part, Service, Start, command, read, with_secrets};
use crate::stage::Stage;

/// The service.
pub(super) struct Ticket;

impl Service for Ticket {
    fn name(&self) -> &'static str {
        "ticket"
    }

    fn parts(&self) -> &'static [&'static str] {
        emulator::PARTS
    }

    fn commands(&self) -> Vec<Command> {
        let about = "Reads, checks and makes TVM tickets";
        vec![command::<TicketArgs>("ticket", about)]
    }

    fn run<'a>(&'a self, _: &'a str, matches: &'a ArgMatches) -> BoxFuture<'a, Done> {
        Box::pin(async move { commands::run(read(TicketArgs::from_arg_matches(matches))?).await })
    }

    fn secret(&self, argument: &str) -> Option<(String, String)> {
        let ticket = ticket_in(argument)?;
        Some((ticket.to_owned(), redact(ticket).to_owned()))
    }

    fn instead_of_seed(&self) -> Option<&'static str> {
        Some("tvmtool, tvm-api and tirole take their state from --config")
    }

    fn serve_notes(&self) -> Option<&'static str> {
        Some(emulator::NOTES)
    }

    fn serve_options(&self, serve: Command) -> Command {
        TvmArgs::augment_args(serve)
    }

    fn check_options(
        &self,
        options: &ArgMatches,
        serves: &dyn Fn(&[&str]) -> bool,
    ) -> Result<(), Failure> {
        read(TvmArgs::from_arg_matches(options))?.check(serves)
    }

    fn emulator(&self, start: &Start<'_>) -> Result<Emulator, Failure> {
        emulator::make(&read(TvmArgs::from_arg_matches(start.options))?)
    }

    fn served(&self, options: &ArgMatches, part: &Part, port: Option<u16>) -> Result<(), Failure> {
        read(TvmArgs::from_arg_matches(options))?.leave_files(part, port)
    }

    fn example_seed(&self) -> Result<Value, Failure> {
        with_secrets(include_str!("tvmtool.json"))
    }

    fn demo<'a>(&'a self, stage: &'a mut Stage) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(demo::run(stage))
    }
}

//! `vouchsafe ticket inspect`.

use std::time::SystemTime;

use clap::Args;
use vouchsafe::core::{Clock as _, SystemClock};
use vouchsafe::ticket;

use super::facts;
use super::input::TicketInput;
use crate::failure::Failure;
use crate::output::{Answer, pairs};
use crate::terminal::clean;

/// Options of `vouchsafe ticket inspect`.
#[derive(Args, Debug)]
pub(super) struct InspectArgs {
    #[command(flatten)]
    ticket: TicketInput,
    /// The time to compare its expiry with: seconds since 1970, or a date [default: now]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    now: Option<SystemTime>,
}

pub(super) fn run(args: &InspectArgs) -> Result<Answer, Failure> {
    let now = args.now.unwrap_or_else(|| SystemClock::new().now());
    let text = args.ticket.read()?;
    let ticket = ticket::inspect(text.expose());
    let mut human = pairs(facts::rows(&ticket, now));
    for fault in ticket.faults() {
        human = format!("{human}\nfault: {}", clean(fault));
    }
    Ok(Answer::new(human, facts::json(&ticket, now)))
}

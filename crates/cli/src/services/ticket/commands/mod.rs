//! `vouchsafe ticket`: TVM tickets for people: read, check, make them; keys and roles.

mod check;
mod facts;
mod input;
mod inspect;
mod keygen;
mod keys;
mod mint;
mod roles;

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use vouchsafe::core::timestamp;
use vouchsafe::ticket::BlackboxEnv;

pub(crate) use self::input::ticket_in;

use crate::failure::Failure;
use crate::output::Answer;

/// Options of `vouchsafe ticket`.
#[derive(Args, Debug)]
pub(crate) struct TicketArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the contents of a ticket without checking it
    #[command(visible_alias = "parse_ticket")]
    Inspect(inspect::InspectArgs),
    /// Checks a ticket; the exit code is 0 if it is good and 1 if it is not
    Check(Box<check::CheckArgs>),
    /// Signs a ticket with a key of your own, for tests; by default it never expires
    #[command(visible_alias = "unittest", subcommand)]
    Mint(mint::Mint),
    /// Generates a key that signs tickets, and adds its public half to a key container
    Keygen(keygen::KeygenArgs),
    /// Shows what a roles document allows, or the file of a disk cache that holds one
    #[command(subcommand)]
    Roles(roles::RolesCommand),
}

/// Runs the command, and returns what to print.
pub(crate) async fn run(args: TicketArgs) -> Result<(Answer, ExitCode), Failure> {
    let done = match args.command {
        Command::Inspect(args) => inspect::run(&args)?,
        Command::Check(args) => return check::run(*args).await,
        Command::Mint(args) => mint::run(args)?,
        Command::Keygen(args) => keygen::run(&args)?,
        Command::Roles(args) => return roles::run(args),
    };
    Ok((done, ExitCode::SUCCESS))
}

/// Returns the exit code of a command that answers a yes-or-no question.
fn code(is_good: bool) -> ExitCode {
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Reads a time: seconds since the epoch, or a date.
fn time(text: &str) -> Result<SystemTime, String> {
    let seconds = text.parse().map(Duration::from_secs);
    let parsed = match seconds {
        Ok(seconds) => UNIX_EPOCH.checked_add(seconds),
        Err(_) => timestamp::parse(text),
    };
    parsed.ok_or_else(|| {
        "neither seconds since 1970 nor a date such as 2030-01-31T00:00:00Z".to_owned()
    })
}

fn env(text: &str) -> Result<BlackboxEnv, String> {
    text.parse()
        .map_err(|_| "there is: prod, test, prod_yateam, test_yateam, stress".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_dates() {
        let expected = UNIX_EPOCH + Duration::from_secs(86_400);
        assert_eq!(time("86400"), Ok(expected));
        assert_eq!(time("1970-01-02T00:00:00Z"), Ok(expected));
        assert!(time("tomorrow").is_err() && time("-1").is_err());
        assert!(time("18446744073709551615").is_err());
    }

    #[test]
    fn environments_have_the_names_of_the_older_tools() {
        assert_eq!(env("prod_yateam"), Ok(BlackboxEnv::ProdYateam));
        assert_eq!(env("Test"), Ok(BlackboxEnv::Test));
        assert!(env("production").unwrap_err().contains("prod_yateam"));
    }
}

//! The command line, and how a run of the program goes.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::astakos::AstakosArgs;
use crate::demo::DemoArgs;
use crate::discovery::DiscoveryArgs;
use crate::failure::Failure;
use crate::serve::ServeArgs;
use crate::ticket::TicketArgs;
use crate::userinfo::UserinfoArgs;
use crate::{astakos, demo, discovery, serve, ticket, token, userinfo};

/// Asks the services that say who a caller is and what they may do, and plays them for tests
#[derive(Debug, Parser)]
#[command(name = "vouchsafe", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Prints JSON instead of tables, errors included
    #[arg(long, global = true)]
    json: bool,
    /// Tells on standard error what is being done; twice for more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the clients at work against emulators on loopback sockets, over TLS
    Demo(DemoArgs),
    /// Plays services over TCP, for tests in any language
    Serve(ServeArgs),
    /// Asks Gafaelfawr about users
    Userinfo(UserinfoArgs),
    /// Asks Repertoire where things are
    Discovery(DiscoveryArgs),
    /// Reads, checks and makes TVM tickets
    Ticket(TicketArgs),
    /// Asks Astakos about users and quotas, and moves commissions and projects along
    Astakos(AstakosArgs),
}

/// Runs the program with its arguments, the first of which is its own name.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    // Known before the arguments are understood, since a fault in them is told in JSON too.
    let as_json = arguments.iter().any(|argument| argument == "--json");
    if let Err(failure) = token::refuse_in_arguments(&arguments) {
        return failure.report(as_json);
    }
    let redact = |message: &str| ticket::without_signatures(message, &arguments);
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(refusal) if refusal.use_stderr() && as_json => {
            return Failure::usage(redact(&refusal.to_string())).report(true);
        }
        Err(refusal) if refusal.use_stderr() && arguments.iter().any(ticket::holds_ticket) => {
            eprint!("{}", redact(&refusal.to_string()));
            return ExitCode::from(2);
        }
        Err(refusal) => {
            // Help and version, or a text over several lines that shows what was meant.
            let _ = refusal.print();
            return ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2));
        }
    };
    log_to_stderr(match (&cli.command, cli.verbose) {
        (Command::Serve(_), 0) => "info",
        (_, 0) => "warn",
        (_, 1) => "debug",
        (_, _) => "trace",
    });
    match run_command(cli) {
        Ok(code) => code,
        Err(failure) => failure.redacted(redact).report(as_json),
    }
}

fn run_command(cli: Cli) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::failed(format!("the program cannot start: {cause}")))?;
    let done = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(args, cli.json).await,
            Command::Serve(args) => serve::run(args).await.map(|()| ExitCode::SUCCESS),
            Command::Userinfo(args) => {
                let answer = userinfo::run(args).await?;
                answer.print(cli.json).map(|()| ExitCode::SUCCESS)
            }
            Command::Discovery(args) => {
                let answer = discovery::run(args).await?;
                answer.print(cli.json).map(|()| ExitCode::SUCCESS)
            }
            Command::Astakos(args) => {
                let answer = astakos::run(args).await?;
                answer.print(cli.json).map(|()| ExitCode::SUCCESS)
            }
            Command::Ticket(args) => {
                let (answer, code) = ticket::run(args).await?;
                answer.print(cli.json).map(|()| code)
            }
        }
    });
    // A read of standard input that never ends must not keep the program.
    runtime.shutdown_background();
    done
}

/// Only our own crates speak: what the libraries below log is not ours to vouch for.
fn log_to_stderr(level: &str) {
    let filter = EnvFilter::new(format!("off,vouchsafe={level}"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .init();
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the service refused, failed, or has no such thing; the ticket is not good; the role is not there
  2  the arguments or the environment are wrong; nothing was sent";

//! The command line, and how a run of the program goes.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use vouchsafe::core::env;

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
    /// Logs each call to standard error when it ends; twice: when it begins too, and all else
    /// that is known. Without it the environment variable RUST_LOG says what is logged, such as
    /// vouchsafe=debug
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
    let logs = env::var("RUST_LOG")
        .map_err(Failure::from)
        .and_then(|variable| Logs::wanted(&cli, variable.as_deref()));
    match logs {
        Ok(logs) => logs.begin(),
        Err(failure) => return failure.report(as_json),
    }
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

/// What is logged to standard error.
struct Logs {
    filter: EnvFilter,
    spans: FmtSpan,
}

impl Logs {
    /// What the options say, else what `RUST_LOG` says, else what is worth knowing. The options
    /// concern our own crates only: what the libraries below log is theirs to vouch for.
    fn wanted(cli: &Cli, variable: Option<&str>) -> Result<Self, Failure> {
        let own = |level: &str| EnvFilter::new(format!("off,vouchsafe={level}"));
        let variable = variable.map(str::trim).filter(|text| !text.is_empty());
        let filter = match (cli.verbose, variable, &cli.command) {
            (0, Some(text), _) => EnvFilter::try_new(text).map_err(|_| {
                Failure::usage("RUST_LOG is not a list of directives")
                    .hint("such as vouchsafe=debug or vouchsafe_core=trace,info")
            })?,
            (0, None, Command::Serve(_)) => own("info"),
            (0, None, _) => own("warn"),
            (1, ..) => own("debug"),
            _ => own("trace"),
        };
        let spans = match cli.verbose {
            0 | 1 => FmtSpan::CLOSE,
            _ => FmtSpan::NEW | FmtSpan::CLOSE,
        };
        Ok(Self { filter, spans })
    }

    fn begin(self) {
        let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        tracing_subscriber::fmt()
            .with_env_filter(self.filter)
            .with_span_events(self.spans)
            .with_writer(std::io::stderr)
            .with_ansi(is_terminal && !is_colourless(colour_variable().as_deref()))
            .init();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a convention for programs, not a setting of ours: what is no text counts too"
)]
fn colour_variable() -> Option<OsString> {
    std::env::var_os("NO_COLOR")
}

/// Whether `NO_COLOR` is set to something: see <https://no-color.org>.
fn is_colourless(variable: Option<&std::ffi::OsStr>) -> bool {
    variable.is_some_and(|value| !value.is_empty())
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the service refused, failed, or has no such thing; the ticket is not good; the role is not there
  2  the arguments or the environment are wrong; nothing was sent";

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(arguments: &[&str], variable: Option<&str>) -> String {
        let cli = Cli::try_parse_from([&["vouchsafe"], arguments].concat()).unwrap();
        Logs::wanted(&cli, variable).unwrap().filter.to_string()
    }

    #[test]
    fn options_say_what_is_logged_before_the_environment_does() {
        let demo = &["demo"][..];
        assert_eq!(filter(demo, None), "vouchsafe=warn,off");
        assert_eq!(filter(demo, Some("")), "vouchsafe=warn,off");
        assert_eq!(filter(demo, Some("tokio=info")), "tokio=info");
        assert_eq!(
            filter(&["demo", "-v"], Some("tokio=info")),
            "vouchsafe=debug,off"
        );
        assert_eq!(filter(&["demo", "-vv"], None), "vouchsafe=trace,off");
        let cli = Cli::try_parse_from(["vouchsafe", "demo"]).unwrap();
        let error = Logs::wanted(&cli, Some("vouchsafe=planted")).err().unwrap();
        assert!(error.to_string().starts_with("RUST_LOG is not"), "{error}");
    }

    #[test]
    fn no_color_counts_if_it_is_not_empty() {
        let value = |text: &'static str| Some(std::ffi::OsStr::new(text));
        assert!(is_colourless(value("1")) && is_colourless(value("0")));
        assert!(!is_colourless(value("")) && !is_colourless(None));
    }
}

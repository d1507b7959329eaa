//! The command line, and running a command.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _, Parser};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use vouchsafe::core::env;

use crate::demo::DemoArgs;
use crate::failure::Failure;
use crate::serve::ServeArgs;
use crate::services::{self, SERVICES};
use crate::{demo, secret, serve, service};

/// Calls authentication and authorization services, and runs emulators of them for tests
#[derive(Debug, Parser)]
#[command(name = "vouchsafe", version, after_help = EXIT_CODES)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    /// Prints JSON instead of tables, and errors as JSON too
    #[arg(long, global = true, display_order = LAST)]
    json: bool,
    /// Logs each call to standard error as it ends; -vv logs its start and all details too. Without
    /// it, the environment variable RUST_LOG decides, such as vouchsafe=debug
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = LAST)]
    verbose: u8,
}

/// Returns the whole command line: the general commands, and those of each service.
fn command_line() -> Command {
    let demo = "Runs every client against its emulator, over TLS on loopback sockets";
    let serve = "Runs emulators of the services, for tests in any language";
    let mut all = vec![
        service::command::<DemoArgs>(DEMO, demo),
        ServeArgs::with_services(Command::new(SERVE)).about(serve),
    ];
    all.extend(SERVICES.iter().flat_map(|service| service.commands()));
    Cli::command().subcommands(all)
}

/// Runs the program with its arguments, the first of which is its own name.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    // Read before parsing, since errors in the arguments are printed as JSON too.
    let as_json = arguments.iter().any(|argument| argument == "--json");
    if let Err(failure) = secret::refuse_in_arguments(&arguments, services::holds_token) {
        return failure.report(as_json);
    }
    let redact = |message: &str| services::without_secrets(message, &arguments);
    let matches = match command_line().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        Err(refusal) if refusal.use_stderr() && as_json => {
            return Failure::usage(redact(&refusal.to_string())).report(true);
        }
        Err(refusal) if refusal.use_stderr() && arguments.iter().any(services::holds_secret) => {
            eprint!("{}", redact(&refusal.to_string()));
            return ExitCode::from(2);
        }
        Err(refusal) => {
            // Help and version, or an error over several lines that shows the arguments.
            let _ = refusal.print();
            return ExitCode::from(u8::try_from(refusal.exit_code()).unwrap_or(2));
        }
    };
    match run_command(&matches) {
        Ok(code) => code,
        Err(failure) => failure.redacted(redact).report(as_json),
    }
}

fn run_command(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let cli = service::read(Cli::from_arg_matches(matches))?;
    let (name, matches) = matches
        .subcommand()
        .ok_or_else(|| Failure::usage("no command is given"))?;
    Logs::wanted(cli.verbose, env::var("RUST_LOG")?.as_deref(), name)?.begin();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|cause| Failure::failed(format!("the program cannot start: {cause}")))?;
    let done = runtime.block_on(async {
        match name {
            DEMO => {
                demo::run(
                    service::read(DemoArgs::from_arg_matches(matches))?,
                    cli.json,
                )
                .await
            }
            SERVE => {
                let args = service::read(ServeArgs::from_arg_matches(matches))?;
                serve::run(args, matches).await.map(|()| ExitCode::SUCCESS)
            }
            name => {
                let service = services::of_command(name)
                    .ok_or_else(|| Failure::usage("there is no such command"))?;
                let (answer, code) = service.run(name, matches).await?;
                answer.print(cli.json).map(|()| code)
            }
        }
    });
    // A blocked read of standard input must not keep the program alive.
    runtime.shutdown_background();
    done
}

/// The log on standard error.
struct Logs {
    filter: EnvFilter,
    spans: FmtSpan,
}

impl Logs {
    /// Returns the filter of the options, or else of `RUST_LOG`, or else the default. The options
    /// concern only our own crates, since libraries below may log secrets.
    fn wanted(verbose: u8, variable: Option<&str>, command: &str) -> Result<Self, Failure> {
        let own = |level: &str| EnvFilter::new(format!("off,vouchsafe={level}"));
        let variable = variable.map(str::trim).filter(|text| !text.is_empty());
        let filter = match (verbose, variable, command) {
            (0, Some(text), _) => EnvFilter::try_new(text).map_err(|_| {
                Failure::usage("RUST_LOG is not a list of directives")
                    .hint("such as vouchsafe=debug or vouchsafe_core=trace,info")
            })?,
            (0, None, SERVE) => own("info"),
            // The demo causes outages on purpose.
            (0, None, DEMO) => own("error"),
            // The error of the command says it, too.
            (0, None, _) => own("warn,vouchsafe_cloud_credentials::refresh::refused=off"),
            (1, ..) => own("debug"),
            _ => own("trace"),
        };
        let spans = match verbose {
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

/// Whether `NO_COLOR` is set and not empty: see <https://no-color.org>.
fn is_colourless(variable: Option<&std::ffi::OsStr>) -> bool {
    variable.is_some_and(|value| !value.is_empty())
}

/// The position of general options in the help: after those of the command.
const LAST: usize = 900;
const DEMO: &str = "demo";
const SERVE: &str = "serve";

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the service refused, failed, or has no such thing; or a check came out negative
  2  the arguments or the environment are wrong; nothing was sent";

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(verbose: u8, variable: Option<&str>) -> String {
        let logs = Logs::wanted(verbose, variable, DEMO).unwrap();
        logs.filter.to_string()
    }

    #[test]
    fn the_command_line_is_sound() {
        command_line().debug_assert();
    }

    /// Two arguments with the same id would set each other.
    #[test]
    fn no_argument_of_a_command_has_the_id_of_one_that_every_command_has() {
        fn check(command: &Command, global: &[clap::Id]) {
            let mut global = global.to_vec();
            for argument in command.get_arguments() {
                let id = argument.get_id();
                let name = command.get_name();
                assert!(!global.contains(id), "{name}: {id}");
                if argument.is_global_set() {
                    global.push(id.clone());
                }
            }
            for command in command.get_subcommands() {
                check(command, &global);
            }
        }
        check(&command_line(), &[]);
    }

    #[test]
    fn each_command_says_what_it_does_and_not_what_its_options_are() {
        let mut left = vec![command_line()];
        while let Some(command) = left.pop() {
            let about = command.get_about().map(ToString::to_string);
            let about = about.unwrap_or_default();
            let name = command.get_name();
            assert!(
                !about.is_empty() && !about.starts_with("Options"),
                "{name}: {about}"
            );
            left.extend(command.get_subcommands().cloned());
        }
    }

    #[test]
    fn options_say_what_is_logged_before_the_environment_does() {
        assert_eq!(filter(0, None), "vouchsafe=error,off");
        assert_eq!(filter(0, Some("")), "vouchsafe=error,off");
        assert_eq!(filter(0, Some("tokio=info")), "tokio=info");
        assert_eq!(filter(1, Some("tokio=info")), "vouchsafe=debug,off");
        assert_eq!(filter(2, None), "vouchsafe=trace,off");
        let wrong = Logs::wanted(0, Some("vouchsafe=planted"), DEMO);
        let error = wrong.err().unwrap();
        assert!(error.to_string().starts_with("RUST_LOG is not"), "{error}");
    }

    #[test]
    fn no_color_counts_if_it_is_not_empty() {
        let value = |text: &'static str| Some(std::ffi::OsStr::new(text));
        assert!(is_colourless(value("1")) && is_colourless(value("0")));
        assert!(!is_colourless(value("")) && !is_colourless(None));
    }
}

//! Where the program takes a token from. Never an argument: others on the machine can read those,
//! and shells keep them.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use clap::Args;
use vouchsafe::core::{Secret, env};

use crate::failure::Failure;

/// Options that say where the token is.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Token (never an argument, since other users can read those)")]
pub(crate) struct TokenArgs {
    /// Reads the token from a file
    #[arg(long, value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Reads the token from an environment variable
    #[arg(long, value_name = "NAME", global = true)]
    token_env: Option<String>,
    /// Reads the token from standard input
    #[arg(long, global = true)]
    token_stdin: bool,
}

/// Returns the help of `--token-env` for a service that has a variable of its own.
pub(crate) fn variable_help(default_variable: &str) -> String {
    format!("Reads the token from an environment variable [default: {default_variable}]")
}

impl TokenArgs {
    /// Reads a token of any form. Nothing has been sent if this fails.
    pub(crate) fn secret(&self, default_variable: &str) -> Result<Secret, Failure> {
        Ok(self.source(default_variable)?.1)
    }

    /// Returns whether there is a token to read.
    pub(crate) fn is_given(&self, default_variable: &str) -> bool {
        self.token_file.is_some()
            || self.token_env.is_some()
            || self.token_stdin
            || env::var(default_variable).is_ok_and(|text| text.is_some())
    }

    /// Reads a token of any form, and names the place it came from.
    pub(crate) fn source(&self, default_variable: &str) -> Result<(String, Secret), Failure> {
        let sources = [
            self.token_file.is_some(),
            self.token_env.is_some(),
            self.token_stdin,
        ];
        if sources.iter().filter(|&&given| given).count() > 1 {
            return Err(Failure::usage(
                "one token is enough: give one of --token-file, --token-env and --token-stdin",
            ));
        }
        let source = match (&self.token_file, self.token_stdin) {
            (Some(path), _) => SecretSource::File(path.clone()),
            (None, true) => SecretSource::StandardInput,
            (None, false) => {
                let name = self.token_env.as_deref().unwrap_or(default_variable);
                SecretSource::Variable(name.to_owned())
            }
        };
        source.read("set it, or use --token-file, --token-env or --token-stdin")
    }
}

/// A place that a secret is read from.
pub(crate) enum SecretSource {
    File(PathBuf),
    Variable(String),
    StandardInput,
}

impl SecretSource {
    /// Reads the secret, without the blanks around it, and names the place for messages. The hint
    /// is for a variable that is not set.
    pub(crate) fn read(&self, hint: &str) -> Result<(String, Secret), Failure> {
        let (place, read) = match self {
            Self::File(path) => {
                let read = File::open(path).and_then(read_secret);
                (format!("the token file {}", path.display()), read)
            }
            Self::StandardInput => {
                let read = read_secret(io::stdin().lock());
                ("standard input".to_owned(), read)
            }
            Self::Variable(name) => {
                let Some(text) = env::secret(name)? else {
                    let what = format!("no token: {name} is not set in the environment");
                    return Err(Failure::usage(what).hint(hint));
                };
                (format!("the environment variable {name}"), Ok(text))
            }
        };
        let text =
            read.map_err(|cause| Failure::usage(format!("{place} cannot be read: {cause}")))?;
        let text = text.trimmed();
        if text.is_empty() {
            return Err(Failure::usage(format!("no token: {place} is empty")));
        }
        Ok((place, text))
    }
}

/// Refuses arguments that hold a token, before anything can repeat them in a message.
pub(crate) fn refuse_in_arguments(
    arguments: &[OsString],
    holds_token: impl Fn(&str) -> bool,
) -> Result<(), Failure> {
    for argument in arguments.iter().map(|argument| argument.to_string_lossy()) {
        let names_it = argument == "--token" || argument.starts_with("--token=");
        if names_it || holds_token(&argument) {
            return Err(Failure::usage(
                "a token cannot be an argument, since others on this machine can read those",
            )
            .hint("use --token-file, --token-env or --token-stdin"));
        }
    }
    Ok(())
}

/// Reads a text that is to be kept secret.
pub(crate) fn read_secret(source: impl Read) -> io::Result<Secret> {
    // A token is short: what is larger is not one, and must not fill the memory.
    Secret::read(source, MAX_TOKEN_INPUT)
}

const MAX_TOKEN_INPUT: usize = 64 << 10;

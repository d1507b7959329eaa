//! The token of most commands.

use std::path::PathBuf;

use clap::Args;
use vouchsafe::core::Secret;

use crate::failure::Failure;
use crate::secret::Sources;

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
    format!(
        "Reads the token from an environment variable [default: {default_variable}; at a \
         terminal, asks if that is not set]"
    )
}

impl TokenArgs {
    /// Reads a token of any form. Nothing has been sent if this fails.
    pub(crate) fn secret(&self, default_variable: &str) -> Result<Secret, Failure> {
        Ok(self.source(default_variable)?.1)
    }

    /// Returns whether there is a token to read.
    pub(crate) fn is_given(&self, default_variable: &str) -> bool {
        self.sources(default_variable).is_given()
    }

    /// Reads a token of any form, and names the place it came from.
    pub(crate) fn source(&self, default_variable: &str) -> Result<(String, Secret), Failure> {
        let (place, token) = self.sources(default_variable).read()?;
        // Copying adds blanks around; no token has any.
        Ok((place, token.trimmed()))
    }

    fn sources<'a>(&'a self, default_variable: &'a str) -> Sources<'a> {
        Sources {
            what: "token",
            options: "token",
            file: self.token_file.as_deref(),
            variable: self.token_env.as_deref(),
            is_on_stdin: self.token_stdin,
            default_variable,
        }
    }
}

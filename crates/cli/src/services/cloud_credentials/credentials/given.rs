//! Options for the sources of values: secrets are never arguments.

use std::path::PathBuf;

use clap::Args;
use vouchsafe::core::{Secret, env};

use crate::failure::Failure;
use crate::secret::Sources;

/// Options for the source of a client's secret.
#[derive(Args, Debug, Default)]
pub(super) struct ClientSecretArgs {
    /// Reads the client's secret from a file
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Reads the client's secret from an environment variable [default: PAN_CLIENT_SECRET]
    #[arg(long, value_name = "NAME")]
    client_secret_env: Option<String>,
    /// Reads the client's secret from standard input
    #[arg(long)]
    client_secret_stdin: bool,
}

impl ClientSecretArgs {
    fn sources(&self) -> Sources<'_> {
        Sources {
            what: "client secret",
            options: "client-secret",
            file: self.client_secret_file.as_deref(),
            variable: self.client_secret_env.as_deref(),
            is_on_stdin: self.client_secret_stdin,
            default_variable: "PAN_CLIENT_SECRET",
        }
    }

    /// Returns whether standard input is read.
    pub(super) fn is_on_stdin(&self) -> bool {
        self.client_secret_stdin
    }

    /// Reads the secret; without a source, a person at a terminal is asked.
    pub(super) fn read(&self) -> Result<Secret, Failure> {
        Ok(self.sources().read()?.1.trimmed())
    }

    /// Reads the secret if there is a source.
    pub(super) fn read_if_given(&self) -> Result<Option<Secret>, Failure> {
        match self.sources().is_given() {
            true => self.read().map(Some),
            false => Ok(None),
        }
    }
}

/// Options for the source of a refresh token.
#[derive(Args, Debug)]
pub(super) struct RefreshTokenArgs {
    /// Reads the refresh token from a file
    #[arg(long, value_name = "FILE")]
    refresh_token_file: Option<PathBuf>,
    /// Reads the refresh token from an environment variable [default: PAN_REFRESH_TOKEN]
    #[arg(long, value_name = "NAME")]
    refresh_token_env: Option<String>,
    /// Reads the refresh token from standard input
    #[arg(long)]
    refresh_token_stdin: bool,
}

impl RefreshTokenArgs {
    /// Reads the token; without a source, a person at a terminal is asked.
    pub(super) fn read(&self) -> Result<Secret, Failure> {
        let sources = Sources {
            what: "refresh token",
            options: "refresh-token",
            file: self.refresh_token_file.as_deref(),
            variable: self.refresh_token_env.as_deref(),
            is_on_stdin: self.refresh_token_stdin,
            default_variable: "PAN_REFRESH_TOKEN",
        };
        Ok(sources.read()?.1.trimmed())
    }
}

/// Returns the client's id from the option or the environment.
pub(super) fn client_id(given: Option<&str>) -> Result<Option<String>, Failure> {
    let id = match given {
        Some(id) => Some(id.to_owned()),
        None => env::var("PAN_CLIENT_ID")?,
    };
    Ok(id.filter(|id| !id.is_empty()))
}

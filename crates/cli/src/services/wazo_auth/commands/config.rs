//! The configuration of the service, which contains secrets.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use vouchsafe::wazo_auth::{Client, ConfigChange, ConfigPath};

use super::done;
use super::external::kept;
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::Answer;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Writes the configuration to a new file
    Show {
        /// The file, which only you can read
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Turns an option on or off while the service runs
    Set {
        /// What
        what: Switch,
        /// Whether it is to be on
        #[arg(value_name = "BOOLEAN", action = clap::ArgAction::Set)]
        on: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Switch {
    Debug,
    Profiling,
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Show { out } => {
            let file = SecretFile::create_new(&out, "a secret")?;
            kept(file, &out, &client.config().get().await?)
        }
        Command::Set { what, on } => {
            let path = match what {
                Switch::Debug => ConfigPath::Debug,
                Switch::Profiling => ConfigPath::ProfilingEnabled,
            };
            client
                .config()
                .patch(&[ConfigChange::new(path, on)])
                .await?;
            Ok(done("set"))
        }
    }
}

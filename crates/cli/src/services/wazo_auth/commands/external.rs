//! Accounts of users at external services. Their data may contain secrets, so it is read from files
//! and written to files.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use vouchsafe::core::Secret;
use vouchsafe::wazo_auth::{Client, Settings};

use super::list::{ListArgs, PartArgs, found};
use super::{done, lookup};
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::Answer;
use crate::secret::read_document;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the types of external services, and which of them a user is connected to
    List {
        /// The uuid or the user name
        user: String,
        #[command(flatten)]
        list: ListArgs,
    },
    /// Lists the users that are connected to a type of service
    Users {
        /// The type, such as mobile, google or microsoft
        kind: String,
        #[command(flatten)]
        part: PartArgs,
    },
    /// Writes the data of a user's account to a new file
    Show {
        #[command(flatten)]
        of: Account,
        /// The file, which only you can read
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Connects a user to a service
    Create {
        #[command(flatten)]
        of: Account,
        /// Reads the data, as JSON, from a file; - is standard input
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
    },
    /// Replaces the data of a user's account
    Update {
        #[command(flatten)]
        of: Account,
        /// Reads the data, as JSON, from a file; - is standard input
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
    },
    /// Disconnects a user from a service
    Delete {
        #[command(flatten)]
        of: Account,
    },
    /// Configures the services for a tenant
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(clap::Args, Debug)]
pub(super) struct Account {
    /// The type, such as mobile, google or microsoft
    kind: String,
    /// The uuid or the user name
    user: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Writes the configuration to a new file
    Show {
        /// The type, such as google
        kind: String,
        /// The file, which only you can read
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Stores a configuration; a type that the service does not know is added
    Create {
        /// The type, such as google
        kind: String,
        /// Reads the configuration, as JSON, from a file; - is standard input
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
    },
    /// Replaces the configuration
    Update {
        /// The type, such as google
        kind: String,
        /// Reads the configuration, as JSON, from a file; - is standard input
        #[arg(long, value_name = "FILE")]
        data: PathBuf,
    },
    /// Removes the configuration
    Delete {
        /// The type, such as google
        kind: String,
    },
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    let external = client.external();
    match command {
        Command::List { user, list } => {
            let user = lookup::user(client, &user).await?;
            let found = found!(external.list(&user), &list, "services");
            Ok(found.answer(&["type", "connected"], |service| {
                vec![service.r#type.clone(), service.enabled.to_string()]
            }))
        }
        Command::Users { kind, part } => {
            let request = external.list_connected_users(&kind);
            let found = found!(@part request, &part, "users", |page| page.filtered);
            Ok(found.answer(&["user"], |user| vec![user.uuid.to_string()]))
        }
        Command::Show { of, out } => {
            let file = SecretFile::create_new(&out, "a secret")?;
            let user = lookup::user(client, &of.user).await?;
            kept(file, &out, &external.get(&user, &of.kind).await?)
        }
        Command::Create { of, data } => {
            let data = read(&data)?;
            let user = lookup::user(client, &of.user).await?;
            external.create(&user, &of.kind, &data).await?;
            Ok(done("created"))
        }
        Command::Update { of, data } => {
            let data = read(&data)?;
            let user = lookup::user(client, &of.user).await?;
            external.update(&user, &of.kind, &data).await?;
            Ok(done("updated"))
        }
        Command::Delete { of } => {
            let user = lookup::user(client, &of.user).await?;
            external.delete(&user, &of.kind).await?;
            Ok(done("deleted"))
        }
        Command::Config(command) => configure(client, command).await,
    }
}

async fn configure(client: &Client, command: ConfigCommand) -> Result<Answer, Failure> {
    let external = client.external();
    match command {
        ConfigCommand::Show { kind, out } => {
            let file = SecretFile::create_new(&out, "a secret")?;
            kept(file, &out, &external.get_config(&kind).await?)
        }
        ConfigCommand::Create { kind, data } => {
            external.create_config(&kind, &read(&data)?).await?;
            Ok(done("created"))
        }
        ConfigCommand::Update { kind, data } => {
            external.update_config(&kind, &read(&data)?).await?;
            Ok(done("updated"))
        }
        ConfigCommand::Delete { kind } => {
            external.delete_config(&kind).await?;
            Ok(done("deleted"))
        }
    }
}

/// Writes data that may contain secrets into the file that was opened for it.
pub(super) fn kept(file: SecretFile, path: &Path, settings: &Settings) -> Result<Answer, Failure> {
    file.keep(&Secret::from(format!("{:#}", settings.expose())))?;
    let human = format!("written to {}", path.display());
    Ok(Answer::new(human, json!({"out": path})))
}

/// Reads JSON that must not be shown.
fn read(path: &Path) -> Result<Settings, Failure> {
    let place = path.display();
    let text = read_document(path)?;
    let value: Value = serde_json::from_str(text.expose()).map_err(|cause| {
        let (line, column) = (cause.line(), cause.column());
        Failure::usage(format!("{place} is not JSON: line {line}, column {column}"))
    })?;
    Ok(Settings::from(value))
}

//! `vouchsafe credentials`: credentials of an application, in the file that `pancloud` shares.

mod ask;
mod callback;
mod given;
mod init;
mod login;
mod old;
mod reach;
mod report;
mod show;
mod tokens;
mod worker;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::{Error, ErrorKind};

pub(super) use self::reach::Origin;
use self::reach::Reach;
pub(super) use self::tokens::{lost, saved};
pub(super) use self::worker::{READY, UNSAVED};
use crate::failure::Failure;
use crate::output::Answer;
use crate::service::Done;

/// Options of `vouchsafe credentials`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = false, subcommand_required = false)]
pub(crate) struct CredentialsArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    reach: Reach,
    // At the end: its heading is that of all options after it.
    #[command(flatten)]
    old: old::OldArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Asks for the client's id, its secret and a refresh token, without showing them, and writes
    /// them into a profile
    Generate(ask::GenerateArgs),
    /// Writes a client's id, its secret and a refresh token from files or variables into a profile
    Init(init::InitArgs),
    /// Lists the profiles of the file
    List,
    /// Shows the current credentials and their source, with secrets masked
    Get {
        /// Shows the secrets too
        #[arg(long)]
        show: bool,
    },
    /// Prints a fresh access token
    Token,
    /// Replaces the access token now
    Refresh,
    /// Revokes a token at the server, and removes it from the profile
    Revoke {
        /// Which token; with the refresh token, the access token is removed from the profile too, and a
        /// server should revoke it, but some let it last until it expires
        #[arg(value_enum)]
        which: tokens::Which,
    },
    /// Gives a profile another name
    Rename {
        /// The current name
        from: String,
        /// The new name
        to: String,
    },
    /// Removes a profile from the file
    Remove(ask::RemoveArgs),
    /// Logs in with a browser, and writes the issued tokens into a profile
    Login(login::LoginArgs),
    /// Checks the source of credentials, who may read them, their expiry, and whether the server
    /// answers
    Doctor,
    /// Puts the last good content back into a file that cannot be read, and keeps the damaged one beside it
    Repair,
    /// Calls a service with several tasks at once, for the demo
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
}

/// Runs the command, and returns what to print.
pub(crate) async fn run(args: CredentialsArgs) -> Done {
    let CredentialsArgs {
        command,
        old,
        reach,
    } = args;
    let Some(command) = command else {
        return old::run(&reach, &old).await;
    };
    old.refuse()?;
    // Boxed, so that the future does not reserve space for all of them at once.
    let answer = match command {
        Command::Generate(args) => ask::generate(&reach, &args).await?,
        Command::Init(args) => init::run(&reach, &args).await?,
        Command::List => show::list(&reach).await?,
        Command::Get { show } => show::get(&reach, show).await?,
        Command::Token => tokens::token(&reach).await?,
        Command::Refresh => tokens::refresh(&reach).await?,
        Command::Revoke { which } => tokens::revoke(&reach, which).await?,
        Command::Rename { from, to } => rename(&reach, &from, &to).await?,
        Command::Remove(args) => ask::remove(&reach, args).await?,
        Command::Login(args) => Box::pin(login::run(&reach, args)).await?,
        Command::Doctor => return Box::pin(report::run(&reach)).await,
        Command::Repair => repair(&reach).await?,
        Command::Worker(args) => Box::pin(worker::run(&reach, args)).await?,
    };
    Ok((answer, ExitCode::SUCCESS))
}

async fn rename(reach: &Reach, from: &str, to: &str) -> Result<Answer, Failure> {
    let credentials = reach.bare()?.build()?;
    credentials.rename_profile(from, to).await?;
    let told = format!("renamed {from} to {to}");
    Ok(Answer::new(told, json!({"renamed": from, "to": to})))
}

async fn repair(reach: &Reach) -> Result<Answer, Failure> {
    let store = reach.store()?;
    let path = store.path().display();
    // A repair locks the file, which would create its folder.
    let is_repaired = store.path().exists() && store.repair().await.map_err(beyond_repair)?;
    let (mut told, mut has_backup) = (format!("{path} is not damaged"), false);
    if is_repaired {
        told = format!(
            "{path} has its last good content again; {path}.damaged is what it held before"
        );
    } else {
        // What cannot be repaired, such as a single value of the wrong type, is no success.
        let documents = store.documents(FileStore::NAMESPACE).await;
        if documents.map_err(beyond_repair)?.is_empty()
            && let Some(lost) = profiles_of_backup(&store).await
        {
            (told, has_backup) = (lost, true);
        }
    }
    let value = json!({
        "repaired": is_repaired,
        "file": store.path(),
        "has_lost_profiles": has_backup,
    });
    Ok(Answer::new(told, value))
}

/// A failure of a repair, for which another one is no remedy.
fn beyond_repair(error: Error) -> Failure {
    let is_corrupt = error.kind() == ErrorKind::StoreCorrupt;
    let failure = Failure::from(error);
    match is_corrupt {
        true => failure.hint("correct the file by hand, or remove it and log in again"),
        false => failure,
    }
}

/// Returns what to say of a file without profiles, if the last good content has some.
async fn profiles_of_backup(store: &FileStore) -> Option<String> {
    let path = store.path();
    let mut backup = path.as_os_str().to_owned();
    backup.push(".bak");
    let backup = FileStore::new(backup);
    let documents = backup.documents(FileStore::NAMESPACE).await.ok()?;
    if documents.is_empty() {
        return None;
    }
    let state = match path.metadata() {
        Ok(there) if there.len() == 0 => "is empty",
        Ok(_) => "has no profiles",
        Err(_) => "is missing",
    };
    let (file, backup) = (path.display(), backup.path().display());
    Some(format!(
        "{file} {state}, but {backup} has profiles; copy that to {file} to have them back"
    ))
}

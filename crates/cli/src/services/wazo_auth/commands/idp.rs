//! Identity providers and their users.

use clap::Subcommand;
use serde_json::json;
use vouchsafe::wazo_auth::{Client, IdpUser, IdpUsers};

use super::{done, lookup};
use crate::failure::Failure;
use crate::output::Answer;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the identity providers that users can log in through
    List,
    /// Lists the login backends; needs no access
    Backends,
    /// Makes users log in through a provider
    AddUsers {
        /// The provider, such as ldap or saml
        provider: String,
        /// The uuids or the user names
        #[arg(required = true)]
        users: Vec<String>,
    },
    /// Makes users of this provider log in by the default of their tenant
    RemoveUsers {
        /// The provider, such as ldap or saml
        provider: String,
        /// The uuids or the user names
        #[arg(required = true)]
        users: Vec<String>,
    },
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::List => Ok(names(client.idp().list().await?)),
        Command::Backends => Ok(names(client.backends().list().await?)),
        Command::AddUsers { provider, users } => {
            let mut all = Vec::new();
            for user in &users {
                all.push(IdpUser::new(&lookup::user(client, user).await?));
            }
            let all = IdpUsers::new(all);
            client.idp().add_users(&provider, &all).await?;
            Ok(done("added"))
        }
        Command::RemoveUsers { provider, users } => {
            for user in &users {
                let user = lookup::user(client, user).await?;
                client.idp().remove_user(&provider, &user).await?;
            }
            Ok(done("removed"))
        }
    }
}

fn names(mut names: Vec<String>) -> Answer {
    names.sort();
    Answer::new(names.join("\n"), json!(names))
}

//! Identity providers and their users.

use clap::Subcommand;
use serde_json::json;
use vouchsafe::wazo_auth::{Client, IdpUser, IdpUsers};

use super::{done, lookup, saml};
use crate::failure::Failure;
use crate::output::Answer;
use crate::progress::counted;

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
    /// Configures how the users of a tenant log in through SAML
    #[command(subcommand)]
    Saml(saml::Command),
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::Saml(command) => saml::run(client, command).await,
        Command::List => Ok(names(client.idp().list().await?)),
        Command::Backends => Ok(names(client.backends().list().await?)),
        Command::AddUsers { provider, users } => {
            let users = lookup::users(client, &users).await?;
            let all = IdpUsers::new(users.iter().map(IdpUser::new));
            client.idp().add_users(&provider, &all).await?;
            Ok(done("added"))
        }
        Command::RemoveUsers { provider, users } => {
            let users = lookup::users(client, &users).await?;
            for user in counted("users", &users) {
                client.idp().remove_user(&provider, user).await?;
            }
            Ok(done("removed"))
        }
    }
}

fn names(mut names: Vec<String>) -> Answer {
    names.sort();
    Answer::new(names.join("\n"), json!(names))
}

//! `vouchsafe wazo`: tokens, users, groups, policies, tenants and sessions.

mod acl;
mod call;
mod columns;
mod config;
mod external;
mod groups;
mod idp;
mod import;
mod list;
mod login;
mod lookup;
mod policies;
mod saml;
mod server;
mod sessions;
mod tenants;
mod token;
mod users;
mod watch;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use self::server::ServerArgs;
use crate::connection::ConnectionArgs;
use crate::output::Answer;
use crate::service::Done;
use crate::token::{TokenArgs, variable_help};

/// Options of `vouchsafe wazo`.
#[derive(Args, Debug)]
#[command(mut_arg("token_env", |arg| arg.help(variable_help(server::TOKEN_VARIABLE))))]
pub(crate) struct WazoArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    reach: Reach,
}

/// The server and the token.
#[derive(Args, Clone, Debug)]
struct Reach {
    #[command(flatten)]
    token: TokenArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Logs in, and shows, checks, revokes and renews tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Lists and deletes refresh tokens
    #[command(subcommand)]
    RefreshTokens(token::RefreshCommand),
    /// Lists and changes users
    #[command(subcommand)]
    Users(users::Command),
    /// Lists and changes groups and their members
    #[command(subcommand)]
    Groups(groups::Command),
    /// Lists and changes policies and their accesses
    #[command(subcommand)]
    Policies(policies::Command),
    /// Lists and changes tenants
    #[command(subcommand)]
    Tenants(tenants::Command),
    /// Lists and ends sessions
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// Evaluates access patterns, without asking the server
    #[command(subcommand)]
    Acl(acl::Command),
    /// Lists identity providers, configures SAML, and sets which users log in through them
    #[command(subcommand)]
    Idp(idp::Command),
    /// Shows the accounts of users at external services, and configures the services
    #[command(subcommand)]
    External(external::Command),
    /// Shows the configuration of the service, and changes some options
    #[command(subcommand)]
    Config(config::Command),
    /// Calls an operation that has no command of its own
    #[command(subcommand)]
    Call(call::Call),
}

/// Runs the command, and returns what to print.
pub(crate) async fn run(args: WazoArgs, as_json: bool) -> Done {
    let WazoArgs { command, reach } = args;
    let client = || reach.client();
    // Boxed, so that the future does not reserve space for all of them at once.
    let answer = match command {
        Command::Token(command) => return Box::pin(token::run(&reach, command, as_json)).await,
        Command::Acl(command) => return acl::run(&reach, command).await,
        Command::Call(call) => Box::pin(call::run(&reach, call)).await?,
        Command::RefreshTokens(command) => {
            Box::pin(token::run_refresh(&client().await?, command)).await?
        }
        Command::Users(command) => Box::pin(users::run(&client().await?, command)).await?,
        Command::Groups(command) => Box::pin(groups::run(&client().await?, command)).await?,
        Command::Policies(command) => Box::pin(policies::run(&client().await?, command)).await?,
        Command::Tenants(command) => Box::pin(tenants::run(&client().await?, command)).await?,
        Command::Sessions(command) => Box::pin(sessions::run(&client().await?, command)).await?,
        Command::Idp(command) => Box::pin(idp::run(&client().await?, command)).await?,
        Command::Config(command) => config::run(&client().await?, command).await?,
        Command::External(command) => Box::pin(external::run(&client().await?, command)).await?,
    };
    Ok((answer, ExitCode::SUCCESS))
}

/// An answer that only says that something was done.
fn done(what: &str) -> Answer {
    Answer::new(what, json!({"done": what}))
}

/// Rows of names and values, without those that have no value.
fn rows<const N: usize>(rows: [(&str, Option<String>); N]) -> Vec<(String, String)> {
    let rows = rows.into_iter();
    rows.filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some((name.to_owned(), value))
    })
    .collect()
}

/// The effect of an option of an edit: none, a new value, or removal for an empty text.
fn change(field: &mut Option<String>, given: Option<String>) {
    if let Some(given) = given {
        *field = Some(given).filter(|given| !given.is_empty());
    }
}

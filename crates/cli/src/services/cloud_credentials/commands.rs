//! `vouchsafe cloud-credentials`: every operation by its name.

use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use vouchsafe::cloud_credentials::{Client, Credentials, OPERATIONS, Source};
use vouchsafe::core::Secret;
use vouchsafe::core::call::described::Described;

use super::NAME;
use super::credentials::{Origin, lost, saved};
use crate::described::{self, ServiceArgs, Variables};
use crate::failure::Failure;
use crate::output::Answer;
use crate::service::read;

/// Returns the command.
pub(super) fn command() -> Command {
    let about = "Calls the operations of Cortex Data Lake";
    let command = described::command(NAME, about, VARIABLES, OPERATIONS)
        .next_help_heading("Credentials, if no token is given");
    let about = command.get_about().cloned().unwrap_or_default();
    let token = format!(
        "Reads the token from an environment variable [default: {}; without a token, the credentials \
         of vouchsafe credentials are used]",
        VARIABLES.token
    );
    // The type of the options has its own description.
    let command = Origin::augment_args(command).about(about);
    command.mut_arg("token_env", |arg| arg.help(token))
}

/// Calls the operation, and returns the output.
pub(super) async fn run(matches: &ArgMatches) -> Result<Answer, Failure> {
    let args = ServiceArgs::of(matches)?;
    let origin = read(Origin::from_arg_matches(matches))?;
    let (described, matches) = described::chosen(OPERATIONS, matches)?;
    let connection = &args.connection;
    let mut builder = Client::builder()
        .transport(connection.transport()?)
        .retry(connection.retry())
        .base_url(args.url(VARIABLES)?);
    if let Some(timeouts) = connection.given_timeouts() {
        builder = builder.timeouts(timeouts);
    }
    if connection.allow_plain_http {
        builder = builder.allow_plain_http();
    }
    let credentials = match token(&args, &origin, described).await? {
        Some(Given::Token(token)) => {
            builder = builder.token(token);
            None
        }
        Some(Given::Credentials(credentials)) => {
            builder = builder.credentials(&credentials);
            Some(credentials)
        }
        None => None,
    };
    let answer = described::run(&builder.build()?, described, matches).await;
    // Whatever came of the call, the tokens may have been renewed for it.
    match (answer, credentials) {
        (answer, None) => answer,
        (Ok(answer), Some(credentials)) => Ok(saved(&credentials, answer).await),
        (Err(failure), Some(credentials)) => {
            if let Some(lost) = lost(&credentials).await {
                tracing::warn!("{lost}");
            }
            Err(failure)
        }
    }
}

/// What a call is made with.
enum Given {
    Token(Secret),
    Credentials(Credentials),
}

async fn token(
    args: &ServiceArgs,
    origin: &Origin,
    described: &Described,
) -> Result<Option<Given>, Failure> {
    let is_needed = !described.operation.is_open() && !args.has_token(VARIABLES);
    if is_needed && origin.store().is_ok() {
        let credentials = origin.full(&args.connection)?.build()?;
        if credentials.source().await? != Source::Nothing {
            return Ok(Some(Given::Credentials(credentials)));
        }
    }
    // At a terminal, this asks for it.
    Ok(args.token(described, VARIABLES)?.map(Given::Token))
}

const VARIABLES: Variables = Variables {
    url: "CLOUD_CREDENTIALS_URL",
    token: "CLOUD_CREDENTIALS_TOKEN",
};

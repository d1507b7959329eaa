//! `vouchsafe {{NAME}}`: every operation by its name.

use clap::ArgMatches;
use vouchsafe::core::call::described::Described;
use vouchsafe::{{MODULE}}::{Client, OPERATIONS};

use crate::described::{self, ServiceArgs, Variables};
use crate::failure::Failure;
use crate::output::Answer;

/// Calls the operation, and returns the output.
pub(super) async fn run(matches: &ArgMatches) -> Result<Answer, Failure> {
    let args = ServiceArgs::of(matches)?;
    let (described, matches) = described::chosen(OPERATIONS, matches)?;
    let client = client(&args, described)?;
    described::run(&client, described, matches).await
}

fn client(args: &ServiceArgs, described: &Described) -> Result<Client, Failure> {
    let connection = &args.connection;
    let mut builder = Client::builder()
        .transport(connection.transport()?)
        .timeouts(connection.timeouts())
        .retry(connection.retry())
        .base_url(args.url(VARIABLES)?);
    if let Some(token) = args.token(described, VARIABLES)? {
        builder = builder.token(token);
    }
    if connection.allow_plain_http {
        builder = builder.allow_plain_http();
    }
    Ok(builder.build()?)
}

pub(super) const VARIABLES: Variables = Variables {
    url: "{{SCREAMING}}_URL",
    token: "{{SCREAMING}}_TOKEN",
};

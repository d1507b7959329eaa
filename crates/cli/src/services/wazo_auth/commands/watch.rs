//! `vouchsafe wazo token watch`: a token that is renewed in the background, for programs that read
//! it from a file.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use vouchsafe::core::auth::Token;
use vouchsafe::core::{Clock as _, ErrorKind, SystemClock, timestamp};
use vouchsafe::wazo_auth::{Client, RenewingToken, TokenSource as _};

use super::login::LoginArgs;
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::{Answer, print_line};
use crate::services::wazo_auth::failure::LOGIN_HINT;
use crate::terminal::{clean, to_json_line};

#[derive(Args, Debug)]
pub(super) struct WatchArgs {
    #[command(flatten)]
    login: LoginArgs,
    /// Writes each token to this file, which only you can read, replacing the previous one
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Ends after this many tokens
    #[arg(long, value_name = "COUNT")]
    tokens: Option<NonZeroU64>,
}

pub(super) async fn run(
    client: &Client,
    args: WatchArgs,
    as_json: bool,
) -> Result<Answer, Failure> {
    if let Some(path) = &args.out {
        // A file that cannot be written is reported before a session is created.
        SecretFile::create(path)?;
    }
    let source = RenewingToken::new(args.login.request(client)?);
    let mut states = source.subscribe();
    // The first login decides whether there is anything to watch.
    source.token().await.map_err(|error| match error.kind() {
        ErrorKind::Credential => Failure::from(error).kind("login").hint(LOGIN_HINT),
        _ => Failure::from(error),
    })?;
    let (mut known, mut failure) = (None, None);
    let mut count = 0;
    loop {
        let state = states.borrow_and_update().clone();
        if let Some(token) = state
            .token
            .filter(|token| known != Some(token.generation()))
        {
            known = Some(token.generation());
            count += 1;
            keep(client, &args, &token, as_json).await?;
        }
        if args.tokens.is_some_and(|wanted| count >= wanted.get()) {
            let message = format!("{count} tokens");
            return Ok(Answer::new(message, json!({"tokens": count})));
        }
        let error = state.error.map(|error| error.to_string());
        if let Some(why) = error.as_ref().filter(|_| error != failure) {
            tracing::warn!("the token cannot be renewed yet: {}", clean(why));
        }
        failure = error;
        if states.changed().await.is_err() {
            return Err(Failure::failed("the token is not renewed any more"));
        }
    }
}

/// Writes a token to the file, and reports it without showing it.
async fn keep(
    client: &Client,
    args: &WatchArgs,
    token: &Token,
    as_json: bool,
) -> Result<(), Failure> {
    if let Some(path) = &args.out {
        SecretFile::create(path)?.keep(token.secret())?;
    }
    let now = timestamp::format(SystemClock::new().now());
    // Anyone who has a token may query it; a failure is harmless.
    let info = client.token().get(token.secret().clone()).send().await.ok();
    let expires = info.and_then(|info| info.utc_expires_at);
    if as_json {
        let line = json!({"at": now, "event": "new token", "utc_expires_at": expires});
        return print_line(&to_json_line(&line));
    }
    let until = expires.map(|at| format!(", valid until {at} UTC"));
    print_line(&format!("{now} new token{}", until.unwrap_or_default()))
}

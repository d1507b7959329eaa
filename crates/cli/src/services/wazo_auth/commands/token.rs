//! Tokens and refresh tokens. Anyone who has a token may show, check and end it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vouchsafe::core::Secret;
use vouchsafe::wazo_auth::{Client, ScopeCheck, Token, UtcTime, Validity};

use super::list::{Found, OfUserArgs, found};
use super::login::LoginArgs;
use super::server::TOKEN_VARIABLE;
use super::watch::{self, WatchArgs};
use super::{Reach, done, lookup, rows};
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::{Answer, pairs, table};
use crate::service::Done;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Logs in, and prints the new token
    Create(CreateArgs),
    /// Shows the user, the expiry and the accesses of the token
    Show,
    /// Checks whether the token is valid and covers accesses; exits with 1 if not
    Check {
        /// An access that it must cover, such as confd.users.read; repeat for more
        #[arg(long = "access", value_name = "ACCESS")]
        accesses: Vec<String>,
    },
    /// Ends the token and its session
    Revoke,
    /// Logs in, and renews the token before it expires, until stopped
    Watch(WatchArgs),
}

#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    login: LoginArgs,
    /// Writes the token to a new file that only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Writes the refresh token to a new file that only you can read, instead of printing it
    #[arg(long, value_name = "FILE", requires = "offline")]
    refresh_token_out: Option<PathBuf>,
}

pub(super) async fn run(reach: &Reach, command: Command, as_json: bool) -> Done {
    let client = reach.open_client()?;
    let token = || reach.token.secret(TOKEN_VARIABLE);
    let answer = match command {
        Command::Create(args) => create(&client, args).await?,
        Command::Show => shown(&client.token().get(token()?).send().await?),
        Command::Check { accesses } => {
            let tenant = reach.server.tenant()?;
            return check(&client, token()?, &accesses, tenant).await;
        }
        Command::Revoke => {
            client.token().revoke(&token()?).await?;
            done("revoked")
        }
        Command::Watch(args) => watch::run(&client, args, as_json).await?,
    };
    Ok((answer, ExitCode::SUCCESS))
}

async fn create(client: &Client, args: CreateArgs) -> Result<Answer, Failure> {
    // A token that cannot be stored must not be created.
    let file = |path: &Option<PathBuf>| {
        let path = path.as_deref();
        path.map(|path| SecretFile::create_new(path, "a token in use"))
            .transpose()
    };
    let (out, refresh_out) = (file(&args.out)?, file(&args.refresh_token_out)?);
    let created = args.login.request(client)?.send().await?;
    let token = created.token;
    let printed = |secret: &Secret, file: Option<SecretFile>, path: &Option<PathBuf>| match file {
        None => Ok(secret.expose().to_owned()),
        Some(file) => {
            file.keep(secret)?;
            let path = path.iter().map(|path| path.display().to_string());
            Ok::<_, Failure>(format!("written to {}", path.collect::<String>()))
        }
    };
    let shown = printed(&token.token, out, &args.out)?;
    let refresh = match &token.refresh_token {
        Some(refresh) => Some(printed(refresh, refresh_out, &args.refresh_token_out)?),
        None if args.login.is_offline() => {
            return Err(Failure::failed("the server gave no refresh token"));
        }
        None => None,
    };
    let expires = token.utc_expires_at.map(|at| at.to_string());
    let value = json!({
        "token": shown,
        "refresh_token": refresh,
        "user_uuid": token.metadata.uuid,
        "utc_expires_at": expires,
        "sessions_revoked": created.sessions_revoked,
    });
    // Only the token, for scripts, unless there is more to store.
    let human = match refresh {
        None => shown,
        Some(refresh) => {
            let rows = rows([
                ("token", Some(shown)),
                ("refresh token", Some(refresh)),
                ("expires", expires),
            ]);
            pairs(rows)
        }
    };
    Ok(Answer::new(human, value))
}

/// Shows everything but the token itself.
fn shown(token: &Token) -> Answer {
    let metadata = &token.metadata;
    let time = |at: Option<UtcTime>| at.map(|at| format!("{at} UTC"));
    let mut rows = rows([
        ("user", Some(token.auth_id.clone())),
        (
            "purpose",
            metadata
                .purpose
                .as_ref()
                .map(|purpose| purpose.as_str().to_owned()),
        ),
        (
            "tenant",
            metadata.tenant_uuid.as_ref().map(ToString::to_string),
        ),
        (
            "session",
            token.session_uuid.as_ref().map(ToString::to_string),
        ),
        ("issued", time(token.utc_issued_at)),
        ("expires", time(token.utc_expires_at)),
        ("user agent", Some(token.user_agent.clone())),
        ("address", Some(token.remote_addr.clone())),
    ]);
    let accesses = token.acl.iter();
    rows.extend(accesses.map(|access| ("access".to_owned(), access.clone())));
    let value = json!({
        "auth_id": token.auth_id,
        "session_uuid": token.session_uuid,
        "acl": token.acl,
        "metadata": metadata,
        "utc_issued_at": token.utc_issued_at,
        "utc_expires_at": token.utc_expires_at,
        "user_agent": token.user_agent,
        "remote_addr": token.remote_addr,
        "xivo_uuid": token.xivo_uuid,
    });
    Answer::new(pairs(rows), value)
}

/// Asks the server whether a token is valid, and concurrently whether it covers each access.
async fn check(
    client: &Client,
    token: Secret,
    accesses: &[String],
    tenant: Option<String>,
) -> Done {
    let request = client.token().check(token.clone());
    let request = match &tenant {
        Some(tenant) => request.tenant(tenant),
        None => request,
    };
    let (verdict, is_good) = match request.validity().await? {
        Validity::Valid => ("valid", true),
        Validity::NotValid => ("unknown or expired", false),
        // Only the tenant was checked.
        Validity::NotAllowed => ("not for this tenant", false),
    };
    let mut value = json!({"valid": is_good, "verdict": verdict});
    if !is_good || accesses.is_empty() {
        return Ok((Answer::new(verdict, value), exit(is_good)));
    }
    let check = ScopeCheck::new(accesses.iter().cloned());
    let answers = client.token().check_scopes(&token, &check).await?;
    let covers = |access: &String| answers.get(access).copied().unwrap_or_default();
    let yes = |access| if covers(access) { "yes" } else { "no" };
    let rows = accesses
        .iter()
        .map(|access| vec![access.clone(), yes(access).to_owned()]);
    let human = table(&["access", "covered"], rows);
    value["accesses"] = Value::from_iter(accesses.iter().map(|one| (one.clone(), covers(one))));
    Ok((Answer::new(human, value), exit(accesses.iter().all(covers))))
}

/// A negative check is not a success, for scripts.
pub(super) fn exit(is_good: bool) -> ExitCode {
    match is_good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum RefreshCommand {
    /// Lists refresh tokens, without the tokens themselves: of all users, or of one. The user me is
    /// the token's own
    List(OfUserArgs),
    /// Deletes the refresh token of a client; tokens created with it stay valid
    Delete {
        /// The client's id
        client_id: String,
        /// Its user, by uuid or name
        #[arg(long, value_name = "USER", default_value = ME)]
        user: String,
    },
}

pub(super) async fn run_refresh(
    client: &Client,
    command: RefreshCommand,
) -> Result<Answer, Failure> {
    match command {
        RefreshCommand::List(OfUserArgs { user, list }) => {
            let found: Found<_> = match user.as_deref() {
                None => found!(client.refresh_tokens().list(), &list, "refresh tokens"),
                Some(ME) => found!(client.token().list_own(), &list, "refresh tokens"),
                Some(user) => {
                    let user = lookup::user(client, user).await?;
                    found!(client.token().list(&user), &list, "refresh tokens")
                }
            };
            let header = ["client", "user", "created", "mobile"];
            Ok(found.answer(&header, |token| {
                vec![
                    token.client_id.clone(),
                    token.user_uuid.to_string(),
                    token.created_at.clone(),
                    token.mobile.to_string(),
                ]
            }))
        }
        RefreshCommand::Delete { client_id, user } => {
            match user.as_str() {
                ME => client.token().delete_own(&client_id).await?,
                user => {
                    let user = lookup::user(client, user).await?;
                    client.token().delete(&user, &client_id).await?;
                }
            }
            Ok(done("deleted"))
        }
    }
}

/// The user of the token, if the service has a route for it.
const ME: &str = "me";

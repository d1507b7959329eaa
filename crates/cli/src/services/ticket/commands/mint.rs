//! `vouchsafe ticket mint`.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use serde_json::json;
use vouchsafe::core::timestamp::unix_seconds;
use vouchsafe::core::{Clock as _, Secret, SystemClock};
use vouchsafe::ticket::{self, BlackboxEnv, ServiceTicketDraft, TvmId, Uid, UserTicketDraft};

use super::facts;
use super::keys::{SigningKey, key_failure};
use crate::connection::duration;
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::Answer;

/// Which ticket is made.
#[derive(Debug, Subcommand)]
pub(super) enum Mint {
    /// Signs a service ticket
    Service(ServiceArgs),
    /// Signs a user ticket
    User(UserArgs),
}

#[derive(Args, Debug)]
pub(super) struct ServiceArgs {
    /// The service that calls
    #[arg(short, long, value_name = "ID")]
    src: TvmId,
    /// The service that is called
    #[arg(short, long, value_name = "ID")]
    dst: TvmId,
    /// The developer on whose behalf it is issued
    #[arg(long, value_name = "UID")]
    issuer_uid: Option<Uid>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
pub(super) struct UserArgs {
    /// The default user
    #[arg(short, long, value_name = "UID")]
    default_uid: Uid,
    /// A user; repeat for more [default: the default user]
    #[arg(long = "uid", value_name = "UID")]
    uids: Vec<Uid>,
    /// The environment
    #[arg(short, long, value_name = "ENV", default_value = "test", value_parser = super::env)]
    env: BlackboxEnv,
    /// The place where the users were authenticated
    #[arg(long, value_name = "NUMBER", default_value_t = ENTRY_POINT)]
    entry_point: u32,
    /// The id of the login
    #[arg(long, value_name = "TEXT")]
    login_id: Option<String>,
    /// The location
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    location: u64,
    /// The type of the device
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    device_type: u64,
    #[command(flatten)]
    common: Common,
}

#[derive(Args, Debug)]
struct Common {
    /// The file with the private key, as created by vouchsafe ticket keygen
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The id of the key [default: that in the file]
    #[arg(long, value_name = "NUMBER")]
    key_id: Option<u32>,
    /// A scope; repeat for more
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How long it is valid: 60, 5m, 12h [default: forever]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires_in: Option<Duration>,
    /// When it expires: seconds since 1970, or a date
    #[arg(long, value_name = "TIME", value_parser = super::time, conflicts_with = "expires_in")]
    expires_at: Option<SystemTime>,
    /// Writes the ticket to a new file that only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: Mint) -> Result<Answer, Failure> {
    let now = SystemClock::new().now();
    match args {
        Mint::Service(args) => {
            let mut draft = ServiceTicketDraft::new(args.src, args.dst)
                .expiration_time(args.common.expiration_time(now));
            for scope in &args.common.scopes {
                draft = draft.scope(scope);
            }
            if let Some(uid) = args.issuer_uid {
                draft = draft.issuer_uid(uid);
            }
            args.common.sign(now, |key| draft.sign(key.id, &key.key))
        }
        Mint::User(args) => {
            let mut draft = UserTicketDraft::new(args.env, args.default_uid)
                .expiration_time(args.common.expiration_time(now))
                .entry_point(args.entry_point)
                .login_id(args.login_id.unwrap_or_default())
                .location(args.location)
                .device_type(args.device_type);
            if !args.uids.is_empty() {
                draft = draft.uids(args.uids);
            }
            for scope in &args.common.scopes {
                draft = draft.scope(scope);
            }
            args.common.sign(now, |key| draft.sign(key.id, &key.key))
        }
    }
}

impl Common {
    fn expiration_time(&self, now: SystemTime) -> i64 {
        let after = self.expires_in.and_then(|time| now.checked_add(time));
        after.or(self.expires_at).map_or(i64::MAX, unix_seconds)
    }

    fn sign(
        &self,
        now: SystemTime,
        sign: impl FnOnce(&SigningKey) -> Result<Secret, ticket::rw::KeyError>,
    ) -> Result<Answer, Failure> {
        let mut key = SigningKey::read(&self.key)?;
        if let Some(id) = self.key_id {
            key.id = id.into();
        }
        let file = self
            .out
            .as_deref()
            .map(|path| SecretFile::create_new(path, "a ticket in use"))
            .transpose()?;
        let signed = sign(&key).map_err(key_failure)?;
        let facts = facts::json(&ticket::inspect(signed.expose()), now);
        match (file, &self.out) {
            (Some(file), Some(path)) => {
                file.keep(&signed)?;
                let value = json!({"file": path.to_string_lossy(), "says": facts});
                Ok(Answer::new(format!("in {}", path.display()), value))
            }
            _ => {
                let value = json!({"ticket": signed.expose(), "says": facts});
                Ok(Answer::new(signed.expose(), value))
            }
        }
    }
}

/// The same as in test tickets of the older tool.
const ENTRY_POINT: u32 = 1_234_567_890;

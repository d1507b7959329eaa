//! `vouchsafe ticket check`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use clap::{ArgGroup, Args};
use http::Uri;
use serde_json::json;
use vouchsafe::core::{Clock, Secret, SystemClock};
use vouchsafe::ticket::{
    BlackboxEnv, CheckError, Client, InspectedTicket, KeyId, ServiceContext, TicketStatus,
    TicketType, TvmId, UserContext, inspect,
};

use super::facts;
use super::input::TicketInput;
use super::keys::read_container;
use crate::connection::ConnectionArgs;
use crate::failure::Failure;
use crate::output::{Answer, pairs};
use crate::secret::SecretSource;

/// Options of `vouchsafe ticket check`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("source").required(true))]
pub(super) struct CheckArgs {
    #[command(flatten)]
    ticket: TicketInput,
    /// Reads the keys from a file that holds a key container
    #[arg(long, value_name = "FILE", group = "source")]
    keys: Option<PathBuf>,
    /// Fetches the keys from tvm-api
    #[arg(long, value_name = "URL", group = "source")]
    tvm_api: Option<String>,
    /// Fetches the keys and the settings of the service from tvmtool
    #[arg(long, value_name = "URL", group = "source", requires = "own")]
    tvmtool: Option<String>,
    /// The service that checks, which a service ticket must be for: its id with --tvm-api, its alias
    /// with --tvmtool
    #[arg(long = "self", value_name = "ID|ALIAS", conflicts_with = "keys")]
    own: Option<String>,
    /// The service that a service ticket must be for [default: with --keys any, else --self]
    #[arg(long, value_name = "ID", conflicts_with = "tvmtool")]
    dst: Option<TvmId>,
    /// The environment that a user ticket must be from [default: tvmtool's with --tvmtool, else the
    /// ticket's own]
    #[arg(long, value_name = "ENV", value_parser = super::env)]
    env: Option<BlackboxEnv>,
    /// The time to check at: seconds since 1970, or a date [default: now]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    now: Option<SystemTime>,
    /// Reads tvmtool's token from a file
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "token_env",
        help_heading = "Connection"
    )]
    token_file: Option<PathBuf>,
    /// Reads tvmtool's token from an environment variable [default: TVMTOOL_LOCAL_AUTHTOKEN]
    #[arg(long, value_name = "NAME", help_heading = "Connection")]
    token_env: Option<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

pub(super) async fn run(args: CheckArgs) -> Result<(Answer, ExitCode), Failure> {
    let clock = At(args.now.unwrap_or_else(|| SystemClock::new().now()));
    let text = args.ticket.read()?;
    let ticket = inspect(text.expose());
    let judge = args.judge(&ticket, clock).await?;
    let found = judge.check(text.expose(), &ticket, clock.0);
    let status = match &found {
        Ok(()) => TicketStatus::Ok,
        // Otherwise the check could not be made, which says nothing about the ticket.
        Err(error) => error
            .status()
            .ok_or_else(|| Failure::failed(error.to_string()))?,
    };
    let why = why(status, &ticket, &judge, clock.0);
    let is_good = status == TicketStatus::Ok;
    let mut rows = vec![
        ("status".to_owned(), status.name().to_owned()),
        ("why".to_owned(), why.clone()),
    ];
    rows.extend(facts::rows(&ticket, clock.0));
    let value = json!({
        "ok": is_good,
        "status": status.name(),
        "code": status.code(),
        "message": status.message(),
        "why": why,
        "says": facts::json(&ticket, clock.0),
    });
    Ok((Answer::new(pairs(rows), value), super::code(is_good)))
}

/// The source of the check's verdict.
enum Judge {
    Service(ServiceContext, Option<TvmId>),
    User(UserContext),
    /// With the requested environment.
    Client(Box<Client>, Option<BlackboxEnv>),
}

impl Judge {
    fn check(
        &self,
        text: &str,
        ticket: &InspectedTicket,
        now: SystemTime,
    ) -> Result<(), CheckError> {
        match self {
            Self::Service(context, _) => context.check(text, now).map(drop),
            Self::User(context) => context.check(text, now).map(drop),
            Self::Client(client, env) => match (ticket.ticket_type(), env) {
                (Some(TicketType::User), Some(env)) => {
                    client.check_user_ticket_in(text, *env).map(drop)
                }
                (Some(TicketType::User), None) => client.check_user_ticket(text).map(drop),
                _ => client.check_service_ticket(text).map(drop),
            },
        }
    }

    fn dst(&self) -> Option<TvmId> {
        match self {
            Self::Service(_, dst) => *dst,
            Self::Client(client, _) => Some(client.own_id()),
            Self::User(_) => None,
        }
    }

    fn env(&self) -> Option<BlackboxEnv> {
        match self {
            Self::User(context) => Some(context.env()),
            Self::Client(client, env) => env.or_else(|| client.env()),
            Self::Service(..) => None,
        }
    }

    fn key_ids(&self) -> Vec<KeyId> {
        match self {
            Self::Service(context, _) => context.key_ids().collect(),
            Self::User(context) => context.key_ids().collect(),
            Self::Client(..) => Vec::new(),
        }
    }
}

impl CheckArgs {
    async fn judge(&self, ticket: &InspectedTicket, clock: At) -> Result<Judge, Failure> {
        match (&self.keys, &self.tvm_api, &self.tvmtool) {
            (Some(path), _, _) => self.by_file(path, ticket),
            (None, Some(url), _) => self.by_tvm_api(url, ticket, clock).await,
            (None, None, Some(url)) => self.by_tvmtool(url, clock).await,
            (None, None, None) => Err(Failure::usage(
                "no keys: give --keys, --tvm-api or --tvmtool",
            )),
        }
    }

    fn by_file(&self, path: &Path, ticket: &InspectedTicket) -> Result<Judge, Failure> {
        let keys = read_container(path)?;
        Ok(match ticket.ticket_type() {
            Some(TicketType::User) => Judge::User(UserContext::new(self.env_for(ticket), &keys)?),
            _ => {
                let context = match self.dst {
                    Some(dst) => ServiceContext::new(dst, &keys)?,
                    None => ServiceContext::for_any_destination(&keys)?,
                };
                Judge::Service(context, self.dst)
            }
        })
    }

    async fn by_tvm_api(
        &self,
        url: &str,
        ticket: &InspectedTicket,
        clock: At,
    ) -> Result<Judge, Failure> {
        let own = self.own.as_deref().map(str::parse).transpose();
        let own = own.map_err(|_| Failure::usage("--self: not the number of a service"))?;
        let own = self.dst.or(own).ok_or_else(|| {
            Failure::usage("tvm-api requires the id of the service that asks")
                .hint("give --self or --dst")
        })?;
        let env = self.env_for(ticket);
        let mut builder = Client::tvm_api(own)
            .tvm_url(url)
            .check_service_tickets()
            .check_user_tickets(env)
            .transport(self.connection.transport()?)
            .timeouts(self.connection.timeouts())
            .clock(Arc::new(clock));
        if self.connection.allow_plain_http {
            builder = builder.allow_plain_http();
        }
        Ok(Judge::Client(Box::new(builder.connect().await?), None))
    }

    async fn by_tvmtool(&self, url: &str, clock: At) -> Result<Judge, Failure> {
        let alias = self.own.as_deref().unwrap_or_default();
        let (host, port) = host_and_port(url)?;
        let mut builder = Client::tvmtool(alias)
            .auth_token(self.tool_token()?)
            .host(host)
            .port(port)
            .transport(self.connection.transport()?)
            .timeouts(self.connection.timeouts())
            .clock(Arc::new(clock));
        if self.connection.allow_plain_http {
            builder = builder.allow_plain_http();
        }
        Ok(Judge::Client(Box::new(builder.connect().await?), self.env))
    }

    fn tool_token(&self) -> Result<Secret, Failure> {
        let source = match (&self.token_file, &self.token_env) {
            (Some(path), _) => SecretSource::File(path.clone()),
            (None, Some(name)) => SecretSource::Variable(name.clone()),
            (None, None) => SecretSource::Variable(TOOL_TOKEN.to_owned()),
        };
        let (_, token) = source.read("token", "use --token-file or --token-env")?;
        Ok(token.trimmed())
    }

    fn env_for(&self, ticket: &InspectedTicket) -> BlackboxEnv {
        self.env.or(ticket.env()).unwrap_or_default()
    }
}

fn host_and_port(url: &str) -> Result<(String, u16), Failure> {
    let wrong = || {
        Failure::usage("--tvmtool: not a URL of the daemon")
            .hint("it is like http://localhost:8080, without a path")
    };
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let is_root = matches!(uri.path(), "" | "/") && uri.query().is_none();
    match (uri.scheme_str(), uri.host(), uri.port_u16()) {
        (None | Some("http"), Some(host), Some(port)) if is_root => Ok((host.to_owned(), port)),
        _ => Err(wrong()),
    }
}

/// Explains the status of this ticket.
fn why(status: TicketStatus, ticket: &InspectedTicket, judge: &Judge, now: SystemTime) -> String {
    let number = |id: Option<u64>| id.map_or("?".to_owned(), |id| id.to_string());
    let key = number(ticket.key_id().map(|id| id.get().into()));
    match status {
        TicketStatus::Ok => format!(
            "signed with key {key}, {}",
            match ticket.ticket_type() {
                Some(TicketType::User) => "of an environment that is accepted",
                _ if judge.dst().is_none() => "for any destination",
                _ => "for the right destination",
            }
        ),
        TicketStatus::Expired => {
            let expiry = ticket
                .expiration_time()
                .map(|time| facts::expiry(time, now));
            format!("it was good until {}", expiry.unwrap_or_default())
        }
        TicketStatus::InvalidDst => {
            let is_for = number(ticket.dst().map(|id| id.get().into()));
            let wanted = number(judge.dst().map(|id| id.get().into()));
            format!("it is for {is_for}, not for {wanted}")
        }
        TicketStatus::InvalidBlackboxEnv => {
            let named = |env: Option<BlackboxEnv>| env.map_or("?", BlackboxEnv::name);
            format!(
                "it is of {}, not of {}",
                named(ticket.env()),
                named(judge.env())
            )
        }
        TicketStatus::MissingKey => {
            let known: Vec<_> = judge.key_ids().iter().map(KeyId::to_string).collect();
            match known.is_empty() {
                true => format!("it names key {key}, and there are no keys"),
                false => format!(
                    "it names key {key}; the available keys are {}",
                    known.join(", ")
                ),
            }
        }
        TicketStatus::SignBroken => {
            format!("the signature is not that of key {key} over this text")
        }
        _ if !ticket.faults().is_empty() => ticket.faults().join("; "),
        _ => status.message().to_owned(),
    }
}

/// The time at which the ticket is checked.
#[derive(Clone, Copy, Debug)]
struct At(SystemTime);

impl Clock for At {
    fn now(&self) -> SystemTime {
        self.0
    }
}

const TOOL_TOKEN: &str = "TVMTOOL_LOCAL_AUTHTOKEN";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemon_is_a_host_and_a_port() {
        let good = host_and_port("http://localhost:8080/").unwrap();
        assert_eq!(good, ("localhost".to_owned(), 8080));
        assert_eq!(host_and_port("localhost:80").unwrap().1, 80);
        for bad in [
            "",
            "localhost",
            "https://localhost:1",
            "http://localhost:1/x",
            "http://h:x",
        ] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }
}

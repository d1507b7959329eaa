//! `vouchsafe userinfo`: queries to Gafaelfawr.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vouchsafe::core::{Clock as _, SystemClock, timestamp};
use vouchsafe::userinfo::{
    AllGroups, BotUsername, Client, Group, GroupName, Limits, NewGroup, NewServiceToken, Quota,
    Scope, Token, TokenInfo, UserInfo, Username,
};

use super::installation::{self, InstallationArgs, TOKEN_VARIABLE};
use crate::connection::duration;
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::{Answer, pairs, table};
use crate::token::{TokenArgs, variable_help};

/// Options of `vouchsafe userinfo`.
#[derive(Args, Debug)]
#[command(mut_arg("token_env", |arg| arg.help(variable_help(TOKEN_VARIABLE))))]
pub(crate) struct UserinfoArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    token: TokenArgs,
    #[command(flatten)]
    installation: InstallationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the user the token belongs to, with groups and quota
    Whoami,
    /// Shows what the directory knows about a user; needs admin:userinfo unless the user is you
    User {
        /// The user name
        name: Username,
    },
    /// Lists all groups; needs admin:userinfo
    Groups,
    /// Lists all users; needs admin:userinfo
    Users,
    /// Shows what the token is allowed to do, and when it expires
    TokenInfo,
    /// Creates a service token for a bot user and prints it; needs admin:token
    CreateToken(CreateTokenArgs),
}

#[derive(Args, Debug)]
struct CreateTokenArgs {
    /// The name of the bot user, which begins with "bot-"
    bot: BotUsername,
    /// A scope of the token; repeat for more
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// When it expires: 12h or 30d from now, or a date such as 2030-01-31T00:00:00Z [default: never]
    #[arg(long, value_name = "WHEN", value_parser = expiry)]
    expires: Option<Expiry>,
    /// The full name of the bot user
    #[arg(long)]
    name: Option<String>,
    /// Its numeric user id
    #[arg(long)]
    uid: Option<i64>,
    /// The id of its primary group
    #[arg(long)]
    gid: Option<i64>,
    /// A group the bot user is in; repeat for more
    #[arg(long = "group", value_name = "NAME:ID", value_parser = group)]
    groups: Vec<(GroupName, i64)>,
    /// Writes the token to a new file that only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expiry {
    At(SystemTime),
    After(Duration),
}

/// Runs the command, and returns what to print.
pub(crate) async fn run(args: UserinfoArgs) -> Result<Answer, Failure> {
    let token = installation::token(&args.token)?;
    let client = client(&args.installation)?;
    match args.command {
        Command::Whoami => client.user_info(&token).await.map(|user| of_user(&user)),
        Command::User { name } => {
            let user = client.user_info_for(&token, &name).await;
            user.map(|user| of_user(&user))
        }
        Command::Groups => client.groups(&token).await.map(|groups| of_groups(&groups)),
        Command::Users => client.users(&token).await.map(|users| of_users(&users)),
        Command::TokenInfo => client.token_info(&token).await.map(|info| of_token(&info)),
        Command::CreateToken(args) => return create_token(&client, &token, args).await,
    }
    .map_err(Failure::from)
}

fn client(installation: &InstallationArgs) -> Result<Client, Failure> {
    let connection = &installation.connection;
    let mut builder = Client::builder()
        .repertoire_url(installation.repertoire_url()?)
        .transport(connection.transport()?)
        .timeouts(connection.timeouts())
        .retry(connection.retry());
    if connection.allow_plain_http {
        builder = builder.allow_plain_http();
    }
    Ok(builder.build()?)
}

async fn create_token(
    client: &Client,
    token: &Token,
    args: CreateTokenArgs,
) -> Result<Answer, Failure> {
    // A token that cannot be stored must not be created.
    let file = args
        .out
        .as_deref()
        .map(|path| SecretFile::create_new(path, "a token in use"));
    let file = file.transpose()?;
    let mut request = NewServiceToken::new(&args.bot).scopes(&args.scopes);
    request = match args.expires {
        Some(Expiry::At(at)) => request.expires(at),
        Some(Expiry::After(time)) => request.expires(SystemClock::new().now() + time),
        None => request,
    };
    if let Some(name) = args.name {
        request = request.name(name);
    }
    if let Some(uid) = args.uid {
        request = request.uid(uid);
    }
    if let Some(gid) = args.gid {
        request = request.gid(gid);
    }
    if !args.groups.is_empty() {
        let groups = args.groups.iter();
        request = request.groups(groups.map(|(name, id)| NewGroup::new(name, *id)));
    }
    let made = client.create_service_token(token, &request).await?;
    let (Some(file), Some(path)) = (file, args.out) else {
        let text = made.secret().expose();
        return Ok(Answer::new(text, json!({"token": text, "key": made.key()})));
    };
    file.keep(made.secret()).map_err(|failure| {
        failure.hint(format!(
            "the token exists: revoke it by its key, {}",
            made.key()
        ))
    })?;
    Ok(Answer::new(
        format!("{}: token with key {}", path.display(), made.key()),
        json!({"file": path.to_string_lossy(), "key": made.key()}),
    ))
}

fn of_user(user: &UserInfo) -> Answer {
    let mut rows = vec![("user name".to_owned(), user.username.clone())];
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            rows.push((name.to_owned(), value));
        }
    };
    row("name", user.name.clone());
    row("mail", user.email.clone());
    row("uid", user.uid.map(|uid| uid.to_string()));
    row("gid", user.gid.map(|gid| gid.to_string()));
    row("groups", Some(groups_line(&user.groups)));
    match &user.quota {
        Quota::NoRules => row("quota", Some("no rules apply".to_owned())),
        Quota::Bypass => row("quota", Some("exempt, no limits".to_owned())),
        Quota::Limited(limits) => rows.extend(limits_rows(limits)),
        _ => row(
            "quota",
            Some("of a kind that this program does not know".to_owned()),
        ),
    }
    Answer::new(pairs(rows), json!(user))
}

fn groups_line(groups: &[Group]) -> String {
    if groups.is_empty() {
        return "none".to_owned();
    }
    let shown = groups
        .iter()
        .map(|group| format!("{} ({})", group.name, group.id));
    shown.collect::<Vec<_>>().join(", ")
}

fn limits_rows(limits: &Limits) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for (service, requests) in &limits.api {
        let value = match requests {
            ..=0 => "blocked".to_owned(),
            _ => format!("{requests} requests per minute"),
        };
        rows.push((format!("quota: API {service}"), value));
    }
    for (mount, bytes) in &limits.disk {
        rows.push((format!("quota: disk {mount}"), size(*bytes)));
    }
    if let Some(notebook) = &limits.notebook {
        let mut value = format!("{} CPU, {} GiB", notebook.cpu, notebook.memory);
        if !notebook.spawn {
            value.push_str(", none may be started");
        }
        rows.push(("quota: notebooks".to_owned(), value));
    }
    for (service, tap) in &limits.tap {
        let mut value = format!("{} queries at a time", tap.concurrent);
        if let Some(bytes) = tap.bytes_billed {
            value.push_str(&format!(", {bytes} bytes billed"));
        }
        rows.push((format!("quota: TAP {service}"), value));
    }
    rows
}

/// Formats a number of bytes in the largest unit that divides it.
fn size(bytes: i64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fitting = units
        .iter()
        .find(|(_, bits)| bytes > 0 && bytes % (1 << bits) == 0);
    match fitting {
        Some((unit, bits)) => format!("{} {unit}", bytes >> bits),
        None => format!("{bytes} bytes"),
    }
}

fn of_groups(groups: &AllGroups) -> Answer {
    let kinds = [("user", &groups.user), ("system", &groups.system)];
    let rows = kinds.iter().flat_map(|(kind, groups)| {
        let row =
            |group: &Group| vec![group.name.clone(), group.id.to_string(), (*kind).to_owned()];
        groups.iter().map(row)
    });
    Answer::new(table(&["group", "id", "kind"], rows), json!(groups))
}

fn of_users(users: &[UserInfo]) -> Answer {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let rows = users.iter().map(|user| {
        vec![
            user.username.clone(),
            user.name.clone().unwrap_or_default(),
            user.email.clone().unwrap_or_default(),
            number(user.uid),
            number(user.gid),
            user.groups
                .iter()
                .map(|group| group.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        ]
    });
    let header = ["user name", "name", "mail", "uid", "gid", "groups"];
    Answer::new(table(&header, rows), json!(users))
}

fn of_token(info: &TokenInfo) -> Answer {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            rows.push((name.to_owned(), value));
        }
    };
    let kind = match json!(info.token_type) {
        Value::String(kind) => kind,
        other => other.to_string(),
    };
    let scopes = match info.scopes.as_slice() {
        [] => "none".to_owned(),
        scopes => scopes.join(", "),
    };
    row("user name", Some(info.username.clone()));
    row("type", Some(kind));
    row("key", Some(info.token.clone()));
    row("token name", info.token_name.clone());
    row("service", info.service.clone());
    row("scopes", Some(scopes));
    row("created", Some(timestamp::format(info.created)));
    row(
        "expires",
        Some(
            info.expires
                .map_or_else(|| "never".to_owned(), timestamp::format),
        ),
    );
    row("last used", info.last_used.map(timestamp::format));
    row("parent key", info.parent.clone());
    Answer::new(pairs(rows), json!(info))
}

fn expiry(text: &str) -> Result<Expiry, String> {
    if let Some(at) = timestamp::parse(text) {
        return Ok(Expiry::At(at));
    }
    let has_unit = text.ends_with(|c: char| c.is_ascii_alphabetic());
    match duration(text) {
        Ok(time) if has_unit => Ok(Expiry::After(time)),
        _ => Err(
            "neither a time from now such as 12h or 30d, nor a date such as \
                  2030-01-31T00:00:00Z"
                .to_owned(),
        ),
    }
}

fn group(text: &str) -> Result<(GroupName, i64), String> {
    let (name, id) = text.rsplit_once(':').ok_or("not of the form NAME:ID")?;
    let name = GroupName::parse(name).map_err(|fault| fault.to_string())?;
    let id = id.parse().map_err(|_| "the id is no number")?;
    Ok((name, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_date_or_a_time_from_now_and_says_which() {
        let month = Duration::from_secs(30 * 86_400);
        assert_eq!(expiry("30d"), Ok(Expiry::After(month)));
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000);
        assert_eq!(expiry("2030-01-01T00:00:00Z"), Ok(Expiry::At(date)));
        for text in ["3600", "", "tomorrow", "2030-13-01T00:00:00Z", "0d"] {
            assert!(expiry(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_exact() {
        for (bytes, text) in [
            (20 << 30, "20 GiB"),
            (3 << 40, "3 TiB"),
            (1025, "1025 bytes"),
            (0, "0 bytes"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_group_has_a_name_and_an_id() {
        assert_eq!(group("g_science:5001").unwrap().1, 5001);
        for text in ["g_science", "g/x:1", "g:x", ":1", ""] {
            assert!(group(text).is_err(), "{text}");
        }
    }
}

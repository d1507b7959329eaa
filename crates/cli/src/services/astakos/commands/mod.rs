//! `vouchsafe astakos`: users, quotas, commissions and projects.

mod commissions;
mod projects;
mod quotas;
mod users;

use clap::{Args, Subcommand};
use vouchsafe::astakos::{Client, Dialect, Feedback};

use crate::connection::{ConnectionArgs, url};
use crate::failure::Failure;
use crate::output::Answer;
use crate::token::{TokenArgs, variable_help};

/// Options of `vouchsafe astakos`.
#[derive(Args, Debug)]
#[command(mut_arg("token_env", |arg| arg.help(variable_help(TOKEN_VARIABLE))))]
pub(crate) struct AstakosArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    token: TokenArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Options for the server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
struct ServerArgs {
    /// The URL of the identity service, such as https://HOST/BASE/identity/v2.0 [default: the environment variable
    /// ASTAKOS_AUTH_URL]
    #[arg(long, value_name = "URL", global = true, conflicts_with = "base_url")]
    auth_url: Option<String>,
    /// The base URL of all services, for servers of version 0.14
    #[arg(long, value_name = "URL", global = true)]
    base_url: Option<String>,
    /// The version of the server: 0.14, 0.15, or 0.16 for 0.16 and later [default: detected where
    /// it matters]
    #[arg(long, value_name = "VERSION", global = true)]
    dialect: Option<Dialect>,
    /// Detects the version of the server even where it does not matter
    #[arg(long, global = true, conflicts_with = "dialect")]
    detect: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the user the token belongs to, and the URLs of the services
    LoginInfo,
    /// Looks up names and uuids
    #[command(subcommand)]
    Users(users::Command),
    /// Shows limits and usage
    Quotas(quotas::QuotasArgs),
    /// Lists the resources that have quotas
    Resources,
    /// Lists, issues and resolves commissions, with a service's token
    #[command(subcommand)]
    Commissions(commissions::Command),
    /// Lists projects, applies for them, and decides about them
    #[command(subcommand)]
    Projects(projects::Command),
    /// Sends a message to the operators
    Feedback {
        /// The message
        message: String,
        /// Further data, for programs
        #[arg(long, default_value = "")]
        data: String,
    },
}

impl Command {
    /// Whether servers of different generations want different requests.
    fn depends_on_dialect(&self) -> bool {
        match self {
            Self::Projects(_) => true,
            Self::Commissions(command) => command.depends_on_dialect(),
            Self::Quotas(args) => args.depends_on_dialect(),
            _ => false,
        }
    }
}

/// Runs the command, and returns what to print.
pub(crate) async fn run(args: AstakosArgs) -> Result<Answer, Failure> {
    let client = client(&args)?;
    let is_open = args.server.dialect.is_none();
    if is_open && (args.server.detect || args.command.depends_on_dialect()) {
        client.discover_dialect().await?;
    }
    match args.command {
        Command::LoginInfo => users::login_info(&client).await,
        Command::Users(command) => users::run(&client, command).await,
        Command::Quotas(args) => quotas::run(&client, args).await,
        Command::Resources => quotas::resources(&client).await,
        Command::Commissions(command) => commissions::run(&client, command).await,
        Command::Projects(command) => projects::run(&client, command).await,
        Command::Feedback { message, data } => {
            client.send_feedback(&Feedback::new(message, data)).await?;
            Ok(done("sent"))
        }
    }
}

fn client(args: &AstakosArgs) -> Result<Client, Failure> {
    let connection = &args.connection;
    let mut builder = Client::builder()
        .transport(connection.transport()?)
        .timeouts(connection.timeouts())
        .retry(connection.retry());
    // The one call that needs none.
    let needs_token = !matches!(args.command, Command::Resources);
    if needs_token || args.token.is_given(TOKEN_VARIABLE) {
        builder = builder.token(args.token.secret(TOKEN_VARIABLE)?);
    }
    if connection.allow_plain_http {
        builder = builder.allow_plain_http();
    }
    let builder = match (&args.server.auth_url, &args.server.base_url) {
        (None, Some(given)) => builder.base_url(url("--base-url", Some(given), URL_VARIABLE)?),
        (given, _) => builder.auth_url(url("--auth-url", given.as_deref(), URL_VARIABLE)?),
    };
    let builder = match args.server.dialect {
        Some(dialect) => builder.dialect(dialect),
        None => builder,
    };
    Ok(builder.build()?)
}

const URL_VARIABLE: &str = "ASTAKOS_AUTH_URL";
const TOKEN_VARIABLE: &str = "ASTAKOS_TOKEN";

/// An answer that only says that something was done.
fn done(what: &str) -> Answer {
    Answer::new(what, serde_json::json!({"done": what}))
}

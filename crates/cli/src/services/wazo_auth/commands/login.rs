//! Logging in with a password or a refresh token.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use vouchsafe::core::{Secret, env};
use vouchsafe::wazo_auth::{Client, CreateTokenRequest};

use crate::connection::duration;
use crate::failure::Failure;
use crate::secret::Sources;

/// Options of a login.
#[derive(Args, Debug)]
#[command(mut_arg("password_env", |arg| arg.help(password_help(PASSWORD_VARIABLE))))]
pub(super) struct LoginArgs {
    /// The user name or a confirmed e-mail address [default: the environment variable
    /// WAZO_AUTH_USERNAME]
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    #[command(flatten)]
    password: PasswordArgs,
    #[command(flatten)]
    refresh: RefreshArgs,
    /// Also requests a refresh token for the client of --client-id
    #[arg(long, requires = "client_id")]
    offline: bool,
    /// The lifetime of the token, in seconds or with a unit: 60, 2h, 30d [default: the server's,
    /// usually two hours]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    expires_in: Option<Duration>,
    /// Opens a mobile session, which ends the user's other mobile session
    #[arg(long)]
    mobile: bool,
    /// The domain whose LDAP directory has the user
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
}

/// Options for the source of a password.
#[derive(Args, Debug)]
pub(super) struct PasswordArgs {
    /// Reads the password from a file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Reads the password from an environment variable
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
    /// Reads the password from standard input
    #[arg(long)]
    password_stdin: bool,
}

/// Options for the source of a refresh token, and its client.
#[derive(Args, Debug)]
struct RefreshArgs {
    /// Logs in with a refresh token from a file, without a password
    #[arg(
        long,
        value_name = "FILE",
        requires = "client_id",
        conflicts_with = "offline"
    )]
    refresh_token_file: Option<PathBuf>,
    /// Logs in with a refresh token from an environment variable, without a password
    #[arg(
        long,
        value_name = "NAME",
        requires = "client_id",
        conflicts_with = "offline"
    )]
    refresh_token_env: Option<String>,
    /// Logs in with a refresh token from standard input, without a password
    #[arg(long, requires = "client_id", conflicts_with = "offline")]
    refresh_token_stdin: bool,
    /// The client that the refresh token belongs to
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
}

/// Returns the help of `--password-env`. The password of a login must not be used for a new user.
pub(super) fn password_help(default_variable: &str) -> String {
    format!(
        "Reads the password from an environment variable [default: {default_variable}; at a \
         terminal, asks if that is not set]"
    )
}

impl PasswordArgs {
    /// Reads a new password. Nothing has been sent if this fails.
    pub(super) fn new_secret(&self) -> Result<Secret, Failure> {
        self.secret("new password", NEW_PASSWORD_VARIABLE)
    }

    fn secret(&self, what: &'static str, default_variable: &str) -> Result<Secret, Failure> {
        let sources = Sources {
            what,
            options: "password",
            file: self.password_file.as_deref(),
            variable: self.password_env.as_deref(),
            is_on_stdin: self.password_stdin,
            default_variable,
        };
        Ok(sources.read()?.1)
    }
}

impl LoginArgs {
    /// Creates the login request. Nothing has been sent if this fails.
    pub(super) fn request(&self, client: &Client) -> Result<CreateTokenRequest, Failure> {
        let request = self.with_options(client.token().create());
        match (self.refresh_token()?, &self.refresh.client_id) {
            (Some(refresh), Some(id)) => Ok(request.refresh_token(id, refresh)),
            (_, id) => {
                let request = match id {
                    Some(id) if self.offline => request.offline(id),
                    _ => request,
                };
                Ok(request.credentials(
                    self.username()?,
                    self.password.secret("password", PASSWORD_VARIABLE)?,
                ))
            }
        }
    }

    pub(super) fn is_offline(&self) -> bool {
        self.offline
    }

    fn with_options(&self, mut request: CreateTokenRequest) -> CreateTokenRequest {
        if let Some(lifetime) = self.expires_in {
            request = request.expiration(lifetime);
        }
        if self.mobile {
            request = request.session_type("mobile");
        }
        match &self.domain {
            Some(domain) => request.domain_name(domain),
            None => request,
        }
    }

    fn username(&self) -> Result<String, Failure> {
        let given = match &self.username {
            Some(given) => Some(given.clone()),
            None => env::var(USERNAME_VARIABLE)?,
        };
        given.ok_or_else(|| {
            let message = format!("{USERNAME_VARIABLE} is not set in the environment");
            Failure::usage(message).hint("set it, or give --username")
        })
    }

    fn refresh_token(&self) -> Result<Option<Secret>, Failure> {
        let RefreshArgs {
            refresh_token_file: file,
            refresh_token_env: variable,
            refresh_token_stdin: is_on_stdin,
            ..
        } = &self.refresh;
        if file.is_none() && variable.is_none() && !is_on_stdin {
            return Ok(None);
        }
        let sources = Sources {
            what: "refresh token",
            options: "refresh-token",
            file: file.as_deref(),
            variable: variable.as_deref(),
            is_on_stdin: *is_on_stdin,
            default_variable: "",
        };
        Ok(Some(sources.read()?.1.trimmed()))
    }
}

const USERNAME_VARIABLE: &str = "WAZO_AUTH_USERNAME";
const PASSWORD_VARIABLE: &str = "WAZO_AUTH_PASSWORD";
pub(super) const NEW_PASSWORD_VARIABLE: &str = "WAZO_AUTH_NEW_PASSWORD";

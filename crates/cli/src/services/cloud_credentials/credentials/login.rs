//! `vouchsafe credentials login`: a user agrees in a browser, and is redirected to a port of this
//! machine (RFC 8252).

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::{Credentials, CredentialsBuilder, Error, ErrorKind, Values};
use vouchsafe::core::auth::oauth::TokenAnswer;
use vouchsafe::core::{ErrorKind as Kind, Secret};

use super::callback::Callback;
use super::given::ClientSecretArgs;
use super::reach::Reach;
use crate::connection::duration;
use crate::failure::Failure;
use crate::output::Answer;
use crate::terminal::clean;

/// What a login came to.
type Issued = Result<TokenAnswer, Error>;

const SAVING: Duration = Duration::from_secs(60);

/// Options of `login`.
#[derive(Args, Debug)]
pub(super) struct LoginArgs {
    /// The client's id [default: that of the profile, or the environment variable PAN_CLIENT_ID]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    #[command(flatten)]
    client_secret: ClientSecretArgs,
    /// A scope to request, such as logging-service:read; repeat for more
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// The region of the application, such as americas or europe
    #[arg(long, value_name = "NAME")]
    region: Option<String>,
    /// The instance of the application
    #[arg(long, value_name = "ID")]
    instance_id: Option<String>,
    // Not a comment of documentation, which would need brackets around the URL.
    #[arg(
        long,
        value_name = "URL",
        help = "The page where users log in [default: \
                https://identity.paloaltonetworks.com/as/authorization.oauth2]"
    )]
    authorization_url: Option<String>,
    /// Shows a code to enter on another device, for machines without a browser
    #[arg(long, conflicts_with_all = ["port", "redirect_uri", "region", "instance_id", "authorization_url"])]
    device: bool,
    /// The page where logins on another device begin [default: that of --issuer]
    #[arg(long, value_name = "URL", requires = "device")]
    device_authorization_url: Option<String>,
    /// The port of 127.0.0.1 that users are redirected to [default: any free one]
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true
    )]
    port: u16,
    // Not a comment of documentation, which would need brackets around the URL.
    #[arg(
        long,
        value_name = "URI",
        conflicts_with = "port",
        help = "The redirect URI that the server knows, if it is another one. At one of this machine, such as \
                http://localhost:8080/back, the program waits for the user; for any other one it reads the \
                address at which the browser ends from standard input [default: \
                http://127.0.0.1:PORT/callback]"
    )]
    redirect_uri: Option<String>,
    /// Opens the page with a program; without it, the URL is only printed
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true,
        default_missing_value = OPENER)]
    browser: Option<String>,
    /// How long to wait for the user, in seconds or with a unit: 90, 5m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    wait: Duration,
}

pub(super) async fn run(reach: &Reach, args: LoginArgs) -> Result<Answer, Failure> {
    if args.redirect_uri.is_some() && args.client_secret.is_on_stdin() {
        let hint = "use --client-secret-file or --client-secret-env";
        return Err(Failure::usage("standard input is read for the redirect URI").hint(hint));
    }
    require_writable(&reach.store()?).await?;
    let secret = match reach.has_secret() {
        true => args.client_secret.read_if_given()?,
        false => None,
    };
    let (answer, credentials) = match args.device {
        true => on_device(reach, &args, secret).await?,
        false => in_browser(reach, &args, secret).await?,
    };
    let answer = saved(&credentials, answer).await?;
    // The login itself may not need the secret, renewing the access token does.
    let is_useless =
        |values: Values| values.refresh_token.is_some() && values.client_secret.is_none();
    if credentials.values().await.is_ok_and(is_useless) && reach.needs_secret(&credentials).await {
        eprintln!(
            "The client has no secret. If it needs none, give --client-authentication none in each \
             command; without it, the access token cannot be renewed"
        );
    }
    let profile = credentials.profile();
    let lifetime = answer.as_ref().and_then(|answer| answer.expires_in);
    let human = format!("logged in; wrote the profile {profile}");
    Ok(Answer::new(
        human,
        json!({
            "logged_in": true,
            "profile": profile,
            "scope": answer.as_ref().and_then(|answer| answer.scope.as_deref()),
            "expires_in_s": lifetime.map(|lifetime| lifetime.as_secs()),
            "has_refresh_token": answer.is_none_or(|answer| answer.refresh_token.is_some()),
        }),
    ))
}

/// Fails if the file of credentials cannot be written: what the user agrees to would be lost.
async fn require_writable(store: &FileStore) -> Result<(), Failure> {
    let path = store.path();
    let refused = |cause: std::io::Error| {
        let what = format!("{} cannot be written: {cause}", path.display());
        Failure::usage(what).hint("--file names another file")
    };
    let is_there = path.try_exists().map_err(refused)?;
    if is_there {
        store.documents(FileStore::NAMESPACE).await?;
        let opened = File::options().append(true).open(path);
        opened.map_err(refused)?;
    }
    // It is created, or replaced by another one beside it.
    let folders = path.ancestors().skip(1);
    let mut folders = folders.map(|folder| match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    });
    let folder = folders.find(|folder| folder.symlink_metadata().is_ok());
    tempfile::tempfile_in(folder.unwrap_or(Path::new("."))).map_err(refused)?;
    Ok(())
}

/// Returns what was issued, or `None` if it could not be saved at once, but after a while. The user has
/// agreed to it, and would have to log in again.
async fn saved(credentials: &Credentials, issued: Issued) -> Result<Option<TokenAnswer>, Failure> {
    let error = match issued {
        Ok(answer) => return Ok(Some(answer)),
        Err(error) if credentials.has_unsaved_refresh_token() => error,
        Err(error) => return Err(error.into()),
    };
    eprintln!(
        "The tokens cannot be saved, which is tried again for a minute: {}",
        clean(&error.to_string())
    );
    let until = Instant::now() + SAVING;
    while let Err(error) = credentials.flush().await {
        let is_overtaken = error.kind() == ErrorKind::Core(Kind::Conflict) && !error.is_retryable();
        // As a login that is saved at once, it takes the place of what is there.
        if is_overtaken && credentials.write().await.is_ok() {
            break;
        }
        if Instant::now() >= until {
            let lost = "the tokens that were issued could not be saved: log in again";
            return Err(Failure::from(error).hint(lost));
        }
        sleep(Duration::from_secs(1)).await;
    }
    Ok(None)
}

async fn in_browser(
    reach: &Reach,
    args: &LoginArgs,
    secret: Option<Secret>,
) -> Result<(Issued, Credentials), Failure> {
    let callback = Callback::new(args.redirect_uri.as_deref(), args.port).await?;
    let credentials = builder(reach, args)?.redirect_uri(callback.uri()).build()?;
    let mut request = credentials.authorize();
    if let Some(id) = &args.client_id {
        request = request.client_id(id);
    }
    let login = request.url().await?;
    eprintln!("Visit this page to log in:\n{}", clean(&login.url));
    args.open(&login.url)?;
    let verifier = login.verifier.clone();
    let code = timeout(args.wait, callback.code(login)).await;
    let code = code.map_err(|_| too_late())??;
    let mut exchange = credentials.exchange(code);
    if let Some(id) = &args.client_id {
        exchange = exchange.client_id(id);
    }
    if let Some(secret) = secret {
        exchange = exchange.client_secret(secret);
    }
    if let Some(verifier) = verifier {
        exchange = exchange.verifier(verifier);
    }
    Ok((exchange.send().await, credentials))
}

async fn on_device(
    reach: &Reach,
    args: &LoginArgs,
    secret: Option<Secret>,
) -> Result<(Issued, Credentials), Failure> {
    let credentials = builder(reach, args)?.build()?;
    let mut request = credentials.device_login();
    if let Some(id) = &args.client_id {
        request = request.client_id(id);
    }
    if let Some(secret) = secret {
        request = request.client_secret(secret);
    }
    let mut login = request.send().await?;
    eprintln!(
        "Visit {} on any device, and enter the code {}",
        clean(login.verification_uri()),
        clean(login.user_code())
    );
    let page = login.verification_uri_complete();
    let page = page.unwrap_or(login.verification_uri()).to_owned();
    args.open(&page)?;
    let answer = login.wait_for(args.wait).await;
    let answer = answer.transpose().ok_or_else(too_late)?;
    Ok((answer, credentials))
}

fn too_late() -> Failure {
    Failure::failed("the user did not log in in time").hint("--wait allows more")
}

fn builder(reach: &Reach, args: &LoginArgs) -> Result<CredentialsBuilder, Failure> {
    let mut builder = reach.full()?;
    if !args.scopes.is_empty() {
        builder = builder.scopes(&args.scopes);
    }
    if let Some(region) = &args.region {
        builder = builder.region(region);
    }
    if let Some(id) = &args.instance_id {
        builder = builder.instance_id(id);
    }
    if let Some(url) = &args.authorization_url {
        builder = builder.authorization_url(url);
    }
    if let Some(url) = &args.device_authorization_url {
        builder = builder.device_authorization_url(url);
    }
    Ok(builder)
}

impl LoginArgs {
    /// Opens a page, if that is wanted.
    fn open(&self, url: &str) -> Result<(), Failure> {
        let Some(program) = &self.browser else {
            return Ok(());
        };
        // A server may send anything, also what a program takes for an option or a file.
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(Failure::failed("the server's page is not a web page"));
        }
        let opened = Command::new(program)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match opened {
            Ok(_) => Ok(()),
            Err(cause) => Err(
                Failure::usage(format!("{program} cannot be started: {cause}"))
                    .hint("open the page yourself, without --browser"),
            ),
        }
    }
}

const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

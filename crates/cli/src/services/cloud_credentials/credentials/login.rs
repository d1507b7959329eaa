//! `vouchsafe credentials login`: a user agrees in a browser, and is redirected to a port of this
//! machine (RFC 8252).

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use clap::Args;
use http::{StatusCode, Uri};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use vouchsafe::cloud_credentials::{
    Authorization, Credentials, CredentialsBuilder, Error, ErrorKind, Values,
};
use vouchsafe::core::auth::oauth::TokenAnswer;
use vouchsafe::core::sync::lock;
use vouchsafe::core::{ErrorKind as Kind, Secret};

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
    #[arg(long, conflicts_with_all = ["port", "region", "instance_id", "authorization_url"])]
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
    /// Opens the page with a program; without it, the URL is only printed
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true,
        default_missing_value = OPENER)]
    browser: Option<String>,
    /// How long to wait for the user, in seconds or with a unit: 90, 5m
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    wait: Duration,
}

pub(super) async fn run(reach: &Reach, args: LoginArgs) -> Result<Answer, Failure> {
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
        let is_over = error.kind() == ErrorKind::Core(Kind::Conflict) && !error.is_retryable();
        if is_over || Instant::now() >= until {
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
    let taken =
        |cause: std::io::Error| Failure::usage(format!("port {} of 127.0.0.1: {cause}", args.port));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await;
    let listener = listener.map_err(taken)?;
    let port = listener.local_addr().map_err(taken)?.port();
    let uri = format!("http://127.0.0.1:{port}{CALLBACK}");
    let credentials = builder(reach, args)?.redirect_uri(uri).build()?;
    let mut request = credentials.authorize();
    if let Some(id) = &args.client_id {
        request = request.client_id(id);
    }
    let login = request.url().await?;
    eprintln!("Visit this page to log in:\n{}", clean(&login.url));
    args.open(&login.url)?;
    let verifier = login.verifier.clone();
    let code = timeout(args.wait, answered(listener, login)).await;
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
    let answer = timeout(args.wait, login.wait()).await;
    Ok((answer.map_err(|_| too_late())?, credentials))
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

/// The state of the callback page.
struct Waiting {
    login: Authorization,
    /// Accepts the first answer that belongs to this login.
    answer: Mutex<Option<oneshot::Sender<Result<Secret, Error>>>>,
}

/// Waits for the callback, and returns the code.
async fn answered(listener: TcpListener, login: Authorization) -> Result<Secret, Failure> {
    let (sender, receiver) = oneshot::channel();
    let waiting = Arc::new(Waiting {
        login,
        answer: Mutex::new(Some(sender)),
    });
    let pages = Router::new()
        .route(CALLBACK, get(callback))
        .with_state(waiting);
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = axum::serve(listener, pages).with_graceful_shutdown(async {
        // Also when the other end is dropped.
        let _ = stopped.await;
    });
    let mut serving = std::pin::pin!(serving.into_future());
    let code = tokio::select! {
        code = receiver => code,
        ended = &mut serving => {
            let why = ended.err().map_or_else(|| "it ended".to_owned(), |cause| cause.to_string());
            return Err(Failure::failed(format!("the page for the callback: {why}")));
        }
    };
    drop(stop);
    // So that the browser gets its page; it may keep its connection.
    let _ = timeout(LAST_PAGE, serving).await;
    match code {
        Ok(code) => Ok(code?),
        Err(_) => Err(Failure::failed("the page for the callback is gone")),
    }
}

async fn callback(
    State(waiting): State<Arc<Waiting>>,
    uri: Uri,
) -> (StatusCode, Html<&'static str>) {
    let read = waiting.login.callback(&uri.to_string());
    let (status, page) = match &read {
        Ok(_) => (StatusCode::OK, "<p>Done. Return to the terminal."),
        Err(error) if error.code().is_some() => (
            StatusCode::OK,
            "<p>The login was refused. Return to the terminal.",
        ),
        // Any page on this machine can call this: continue to wait for the right one.
        Err(_) => {
            return (
                StatusCode::BAD_REQUEST,
                Html("<p>This is not the login that was started."),
            );
        }
    };
    let sender = lock(&waiting.answer).take();
    if let Some(sender) = sender {
        // The command may have given up in the meantime.
        let _ = sender.send(read);
    }
    (status, Html(page))
}

const CALLBACK: &str = "/callback";
const LAST_PAGE: Duration = Duration::from_secs(1);
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

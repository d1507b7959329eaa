//! The end of a login in a browser: the user is redirected to a port of this machine (RFC 8252), or copies
//! the address to the terminal.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Html;
use axum::routing::get;
use http::uri::Scheme;
use http::{StatusCode, Uri};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use vouchsafe::cloud_credentials::{Authorization, Error};
use vouchsafe::core::Secret;
use vouchsafe::core::sync::lock;
use vouchsafe::core::url::is_loopback;

use crate::failure::Failure;
use crate::prompt;

/// Where the user is redirected to.
pub(super) struct Callback {
    uri: String,
    /// Listens there, if that is on this machine.
    listener: Option<(TcpListener, String)>,
}

impl Callback {
    /// Listens at a redirect URI, by default a page of its own at this port. 0 is any free one.
    pub(super) async fn new(uri: Option<&str>, port: u16) -> Result<Self, Failure> {
        let Some(given) = uri else {
            return Self::at(Ipv4Addr::LOCALHOST.into(), "127.0.0.1", port, CALLBACK).await;
        };
        let wrong = |what: &str| Failure::usage(format!("the redirect URI {given}: {what}"));
        let uri: Uri = given.parse().map_err(|_| wrong("it is not a URI"))?;
        if uri.scheme().is_none() {
            return Err(wrong("it has no scheme, such as https"));
        }
        if given.contains('#') {
            return Err(wrong("it has a fragment (RFC 6749, 3.1.2)"));
        }
        let host = uri.host().unwrap_or_default();
        // A page with TLS would need a certificate.
        if uri.scheme() != Some(&Scheme::HTTP) || !is_loopback(host) {
            return Ok(Self {
                uri: given.to_owned(),
                listener: None,
            });
        }
        let address = host.trim_matches(['[', ']']).parse();
        let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let port = uri.port_u16().unwrap_or(0);
        let callback = Self::at(address, host, port, target).await?;
        Ok(match port {
            0 => callback,
            // Servers compare it as it is.
            _ => Self {
                uri: given.to_owned(),
                ..callback
            },
        })
    }

    async fn at(address: IpAddr, host: &str, port: u16, target: &str) -> Result<Self, Failure> {
        let taken =
            |cause: std::io::Error| Failure::usage(format!("port {port} of {host}: {cause}"));
        let listener = TcpListener::bind((address, port)).await.map_err(taken)?;
        let port = listener.local_addr().map_err(taken)?.port();
        let path = target.split('?').next().unwrap_or_default();
        Ok(Self {
            uri: format!("http://{host}:{port}{target}"),
            listener: Some((listener, path.to_owned())),
        })
    }

    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    /// Waits for the user to come back, and returns the code.
    pub(super) async fn code(self, login: Authorization) -> Result<Secret, Failure> {
        match self.listener {
            Some((listener, path)) => answered(listener, path, login).await,
            None => pasted(login).await,
        }
    }
}

/// Reads the address to which the user was redirected. A person may try again.
async fn pasted(login: Authorization) -> Result<Secret, Failure> {
    loop {
        let ask = || prompt::line("The address at which the browser ended: ", LIMIT);
        let read = spawn_blocking(ask).await;
        let read = read.unwrap_or_else(|cause| Err(std::io::Error::other(cause)));
        let address =
            read.map_err(|cause| Failure::usage(format!("the address cannot be read: {cause}")))?;
        match login.callback(&address) {
            Err(error) if error.code().is_none() && prompt::is_possible() => {
                eprintln!("{error}");
            }
            code => return Ok(code?),
        }
    }
}

/// The state of the callback page.
struct Waiting {
    path: String,
    login: Authorization,
    /// Accepts the first answer that belongs to this login.
    answer: Mutex<Option<oneshot::Sender<Result<Secret, Error>>>>,
}

/// Waits for the callback, and returns the code.
async fn answered(
    listener: TcpListener,
    path: String,
    login: Authorization,
) -> Result<Secret, Failure> {
    let (sender, receiver) = oneshot::channel();
    let waiting = Arc::new(Waiting {
        path,
        login,
        answer: Mutex::new(Some(sender)),
    });
    let pages = Router::new().fallback(get(callback)).with_state(waiting);
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
    if uri.path() != waiting.path {
        return (StatusCode::NOT_FOUND, Html("<p>There is no such page."));
    }
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
const LIMIT: usize = 64 << 10;

//! The connection to the server.

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::kv;
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event};
use futures_util::StreamExt as _;
use rustls::ClientConfig;
use tokio::sync::Notify;
use vouchsafe_core::store::{Board, Broken, Link};
use vouchsafe_core::{Error, ErrorKind, Result, Secret};

/// A server, how to log in there, and the bucket.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) link: Link<Connection>,
    pub(crate) url: String,
    pub(crate) limit: Duration,
    pub(crate) require_tls: bool,
    /// Not the client's own settings, which panic in a build with two TLS providers or none.
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) login: Login,
    pub(crate) bucket: String,
    pub(crate) replicas: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum Login {
    None,
    Password(String, Secret),
    Token(Secret),
    /// The text of a file with a JWT and a seed.
    Credentials(Secret),
}

/// Ends with its last clone.
#[derive(Clone)]
pub(crate) struct Connection {
    client: Client,
    pub(crate) bucket: kv::Store,
}

impl Connection {
    fn is_alive(&self) -> bool {
        self.client.connection_state() == State::Connected
    }
}

impl Server {
    pub(crate) fn link(place: &str, limit: Duration) -> Link<Connection> {
        Link::new(place, limit, Connection::is_alive)
    }

    /// Uses the bucket within the limit.
    pub(crate) async fn call<T: Send, F>(
        &self,
        what: &str,
        work: impl FnOnce(kv::Store) -> F + Send,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Broken>> + Send,
    {
        let work = |connection: Connection| async move {
            // Held until the end: without it the client would close.
            let Connection { client, bucket } = connection;
            let done = work(bucket).await;
            drop(client);
            done
        };
        let connect = || self.connect(Arc::default());
        self.link.call(what, connect, work).await
    }

    /// Connects, and makes the bucket if it is missing. `lost` is notified when the connection ends.
    async fn connect(&self, lost: Arc<Notify>) -> Result<Connection, Broken> {
        let on_event = move |event| {
            if matches!(event, Event::Disconnected | Event::Closed) {
                lost.notify_one();
            }
            std::future::ready(())
        };
        let options = ConnectOptions::new()
            .name("vouchsafe")
            .connection_timeout(self.limit / 2)
            .require_tls(self.require_tls)
            .tls_client_config((*self.tls).clone())
            // The link limits each call, and connects again where it may.
            .request_timeout(None)
            .max_reconnects(1)
            .event_callback(on_event);
        let options = match &self.login {
            Login::None => options,
            Login::Password(name, password) => {
                options.user_and_password(name.clone(), password.expose().to_owned())
            }
            Login::Token(token) => options.token(token.expose().to_owned()),
            Login::Credentials(text) => options
                .credentials(text.expose())
                .map_err(|_| Broken::refused("the credentials are not those of a .creds file"))?,
        };
        let client = options.connect(&self.url).await.map_err(|cause| {
            let broken = match cause.kind() {
                ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
                    Broken::refused("the server refused the login")
                }
                ConnectErrorKind::Tls => Broken::refused("TLS failed"),
                _ if self.require_tls => {
                    Broken::connection("the server cannot be reached, or does not offer TLS")
                }
                _ => Broken::connection("the server cannot be reached"),
            };
            broken.with_source(cause)
        })?;
        let bucket = self.bucket(&client).await?;
        Ok(Connection { client, bucket })
    }

    async fn bucket(&self, client: &Client) -> Result<kv::Store, Broken> {
        let mut jetstream = async_nats::jetstream::new(client.clone());
        jetstream.set_timeout(self.limit);
        // One that was made by an operator stays as it is.
        if let Ok(bucket) = jetstream.get_key_value(&self.bucket).await {
            return Ok(bucket);
        }
        let config = kv::Config {
            bucket: self.bucket.clone(),
            description: "records of the Vouchsafe clients".to_owned(),
            history: 1,
            num_replicas: self.replicas,
            ..kv::Config::default()
        };
        let made = jetstream.create_key_value(config).await;
        made.map_err(|cause| {
            let what = format!("cannot find or make the bucket {}", self.bucket);
            Broken::for_now(what).with_source(cause)
        })
    }

    /// Hears of all records of the bucket on a connection of its own.
    pub(crate) async fn listen(&self, board: &Board) -> Result<()> {
        let failed = |_| Error::new(ErrorKind::Store, "cannot listen");
        let lost = Arc::new(Notify::new());
        let connection = self.connect(Arc::clone(&lost)).await.map_err(failed)?;
        let watch = connection.bucket.watch_all().await;
        let mut watch = watch.map_err(|_| failed(Broken::for_now("")))?;
        board.listening();
        loop {
            let change = tokio::select! {
                change = watch.next() => change,
                () = lost.notified() => return Ok(()),
            };
            match change {
                Some(Ok(entry)) => board.changed(entry.key.as_bytes()),
                Some(Err(_)) | None => return Ok(()),
            }
        }
    }
}

//! The connection to the server.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Row};
use vouchsafe_core::store::{Board, Broken, Link};
use vouchsafe_core::task::Task;
use vouchsafe_core::transport::{Connection, Dialer};
use vouchsafe_core::{BoxFuture, Result};

/// A server and the login to use.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) link: Link<Session>,
    pub(crate) dialer: Dialer,
    /// The address to connect to and the name expected in the certificate.
    pub(crate) url: Uri,
    pub(crate) config: Config,
}

#[derive(Clone)]
pub(crate) struct Session {
    client: Arc<Client>,
    /// Sends and receives; ends with the session.
    _driver: Arc<Task>,
}

impl Session {
    pub(crate) fn is_alive(&self) -> bool {
        !self.client.is_closed()
    }
}

/// A parameter of a statement with its type, so that statements need not be prepared, which poolers
/// do not support well.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Channel of notifications.
pub(crate) const CHANNEL: &str = "vouchsafe";

/// Creates the tables if they are missing. Two clients doing this at once would fail, hence the
/// lock.
const TABLES: &str = "
BEGIN;
SELECT pg_advisory_xact_lock(8531764290417);
CREATE TABLE IF NOT EXISTS vouchsafe_records (
    namespace bytea NOT NULL,
    is_lease boolean NOT NULL,
    profile bytea NOT NULL,
    version bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (namespace, is_lease, profile)
);
CREATE TABLE IF NOT EXISTS vouchsafe_leases (
    namespace bytea NOT NULL,
    profile bytea NOT NULL,
    owner bytea NOT NULL,
    fence bigint NOT NULL,
    until timestamptz NOT NULL,
    is_after_lapse boolean NOT NULL,
    PRIMARY KEY (namespace, profile)
);
COMMIT";
const ARE_TABLES: &str = "SELECT to_regclass('vouchsafe_records') IS NOT NULL AND to_regclass('vouchsafe_leases') IS NOT NULL";

impl Server {
    /// Runs one statement, as a separate transaction, within the limit.
    pub(crate) async fn query(
        &self,
        what: &str,
        statement: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<Row>> {
        let work = |session: Session| async move {
            let rows = session.client.query_typed(statement, parameters).await;
            rows.map_err(broken)
        };
        self.link.call(what, || self.connect(), work).await
    }

    async fn connect(&self) -> Result<Session, Broken> {
        let (client, mut connection) = self.dial().await?;
        let driver = Task::spawn(async move {
            while let Some(Ok(_)) = poll_fn(|cx| connection.poll_message(cx)).await {}
        });
        let session = Session {
            client: Arc::new(client),
            _driver: Arc::new(driver),
        };
        let rows = session
            .client
            .query_typed(ARE_TABLES, &[])
            .await
            .map_err(broken)?;
        let are_there = rows.first().and_then(|row| row.try_get(0).ok());
        if are_there != Some(true) {
            session.client.batch_execute(TABLES).await.map_err(broken)?;
        }
        Ok(session)
    }

    async fn dial(
        &self,
    ) -> Result<(Client, tokio_postgres::Connection<Connection, Secured>), Broken> {
        let plain = self.url.to_string().replacen("https:", "http:", 1);
        let plain = plain
            .parse()
            .map_err(|_| Broken::refused("the host is not valid"))?;
        let stream = self.dialer.dial(plain).await?;
        let tls = Tls {
            dialer: self.dialer.clone(),
            url: self.url.clone(),
        };
        self.config.connect_raw(stream, tls).await.map_err(broken)
    }

    /// Receives notifications until the connection ends.
    pub(crate) async fn listen(&self, board: &Board) -> Result<(), Broken> {
        let (client, mut connection) = self.dial().await?;
        let listen = format!("LISTEN {CHANNEL}");
        let mut subscribed = std::pin::pin!(client.batch_execute(&listen));
        let mut is_listening = false;
        loop {
            // The same task drives the connection and receives its notifications.
            let message = poll_fn(|cx| {
                if !is_listening && let Poll::Ready(done) = subscribed.as_mut().poll(cx) {
                    if let Err(cause) = done {
                        return Poll::Ready(Err(broken(cause)));
                    }
                    is_listening = true;
                    board.listening();
                }
                connection.poll_message(cx).map(Ok)
            });
            match message.await? {
                Some(Ok(AsyncMessage::Notification(change))) => {
                    board.changed(change.payload().as_bytes());
                }
                Some(Ok(_)) => {}
                Some(Err(cause)) => return Err(broken(cause)),
                None => return Ok(()),
            }
        }
    }
}

/// Continues a connection with TLS, once the server has agreed to it.
struct Tls {
    dialer: Dialer,
    url: Uri,
}

impl TlsConnect<Connection> for Tls {
    type Stream = Secured;
    type Error = vouchsafe_core::Error;
    type Future = BoxFuture<'static, Result<Secured>>;

    fn connect(self, stream: Connection) -> Self::Future {
        Box::pin(async move { self.dialer.secure(&self.url, stream).await.map(Secured) })
    }
}

pub(crate) struct Secured(Connection);

impl TlsStream for Secured {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

fn broken(cause: tokio_postgres::Error) -> Broken {
    let Some(refusal) = cause.as_db_error() else {
        // TLS and sockets; the error's own text says only which of the two failed.
        let why = std::error::Error::source(&cause)
            .map_or_else(|| cause.to_string(), |why| why.to_string());
        return Broken::connection(why).with_source(cause);
    };
    // Without the details of the refusal, which may quote a row.
    let (message, code) = (refusal.message(), refusal.code());
    let message = format!("{message} ({})", code.code());
    let ends_here = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::IDLE_SESSION_TIMEOUT,
    ];
    if ends_here.contains(code) {
        return Broken::connection(message);
    }
    match code.code().get(..2) {
        // Connection, resources, rollbacks, locks.
        Some("08" | "53") => Broken::connection(message),
        Some("40" | "55") => Broken::for_now(message),
        _ => Broken::refused(message),
    }
}

//! The connection to the server, and its answers.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use redis::aio::{MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, RedisConnectionInfo, RedisError, ServerErrorKind, Value,
};
use vouchsafe_core::Result;
use vouchsafe_core::store::{Broken, Link};
use vouchsafe_core::task::Task;
use vouchsafe_core::transport::Dialer;

/// A server and the login to use.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) link: Link<Connection>,
    pub(crate) dialer: Dialer,
    pub(crate) url: Uri,
    pub(crate) info: RedisConnectionInfo,
}

#[derive(Clone)]
pub(crate) struct Connection {
    commands: MultiplexedConnection,
    /// Sends and receives; ends with the connection.
    driver: Arc<Task>,
}

impl Connection {
    pub(crate) fn is_alive(&self) -> bool {
        !self.driver.is_finished()
    }
}

impl Server {
    pub(crate) fn link(place: &str, limit: Duration) -> Link<Connection> {
        Link::new(place, limit, Connection::is_alive)
    }

    /// Sends a command within the limit.
    pub(crate) async fn ask(&self, what: &str, command: Cmd) -> Result<Value> {
        let work = |connection: Connection| async move {
            let mut commands = connection.commands;
            let answer = commands.send_packed_command(&command).await;
            answer.and_then(Value::extract_error).map_err(broken)
        };
        self.link.call(what, || self.connect(), work).await
    }

    /// Sends a command, and reads its answer with a function.
    pub(crate) async fn answer<T>(
        &self,
        what: &str,
        command: Cmd,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<T> {
        let answer = self.ask(what, command).await?;
        // Not the conversions of the redis crate: their errors quote the answer, which may be a
        // record.
        read(answer).ok_or_else(|| self.not_understood(what))
    }

    fn not_understood(&self, what: &str) -> vouchsafe_core::Error {
        let place = self.link.place();
        let message = format!(
            "cannot {what} at {place}: the answer is not what it should be; is it a \
                               Redis server, and the record ours?"
        );
        vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::Store, message)
    }

    async fn connect(&self) -> Result<Connection, Broken> {
        let stream = self.dialer.dial(self.url.clone()).await?;
        // The link limits each call.
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(None)
            .set_connection_timeout(None);
        let made = MultiplexedConnection::new_with_config(&self.info, stream, config).await;
        let (commands, driver) = made.map_err(broken)?;
        Ok(Connection {
            commands,
            driver: Arc::new(Task::spawn(driver)),
        })
    }

    /// Opens a connection that receives messages.
    pub(crate) async fn listen(&self) -> Result<PubSub, Broken> {
        let stream = self.dialer.dial(self.url.clone()).await?;
        PubSub::new(&self.info, stream).await.map_err(broken)
    }
}

/// Errors of the server name no values.
pub(crate) fn broken(cause: RedisError) -> Broken {
    let text = cause.to_string();
    let broken = match cause.kind() {
        ErrorKind::AuthenticationFailed => {
            Broken::refused("the server refused the user or the password")
        }
        ErrorKind::Server(kind) => match kind {
            // A replica that was promoted, or the other way round: connect again.
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown => Broken::connection(text),
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown => Broken::for_now(text),
            _ => Broken::refused(text),
        },
        // Such as OOM and MISCONF: the server cannot write now.
        ErrorKind::Extension => Broken::for_now(text),
        ErrorKind::Io => Broken::connection(text),
        ErrorKind::Parse => Broken::connection("the server does not speak Redis' protocol"),
        _ => Broken::connection("the connection failed"),
    };
    broken.with_source(cause)
}

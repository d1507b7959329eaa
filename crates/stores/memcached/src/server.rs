//! The connection to the server.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio::io::{AsyncBufReadExt as _, BufStream};
use tokio::sync::{mpsc, oneshot};
use vouchsafe_core::store::{Broken, Link};
use vouchsafe_core::task::Task;
use vouchsafe_core::transport::{self, Dialer};
use vouchsafe_core::{Result, SecretBytes};

use crate::wire::{self, Answer};

/// A server and how to log in there.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) link: Link<Connection>,
    pub(crate) dialer: Dialer,
    pub(crate) url: Uri,
    pub(crate) login: Option<SecretBytes>,
}

#[derive(Clone)]
pub(crate) struct Connection {
    commands: mpsc::Sender<Command>,
    /// Sends and receives, so that a caller that gives up leaves no half of an answer behind. Ends
    /// with the connection.
    driver: Arc<Task>,
}

struct Command {
    bytes: SecretBytes,
    answer: oneshot::Sender<Result<Answer, Broken>>,
}

/// The number of commands that wait for others on a connection.
const QUEUE: usize = 32;

impl Connection {
    /// Sends a command, and waits for its turn and its answer.
    pub(crate) async fn ask(&self, bytes: SecretBytes) -> Result<Answer, Broken> {
        let closed = || Broken::connection("the connection was closed");
        let (answer, answered) = oneshot::channel();
        let command = Command { bytes, answer };
        self.commands.send(command).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}

impl Server {
    pub(crate) fn link(place: &str, limit: Duration) -> Link<Connection> {
        Link::new(place, limit, |connection: &Connection| {
            !connection.driver.is_finished()
        })
    }

    /// Makes several exchanges within the limit.
    pub(crate) async fn call<T: Send, F>(
        &self,
        what: &str,
        work: impl FnOnce(Connection) -> F + Send,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Broken>> + Send,
    {
        self.link.call(what, || self.connect(), work).await
    }

    async fn connect(&self) -> Result<Connection, Broken> {
        let stream = self.dialer.dial(self.url.clone()).await?;
        let mut stream = BufStream::new(stream);
        if let Some(login) = &self.login {
            wire::exchange(&mut stream, login).await?;
        }
        let (commands, waiting) = mpsc::channel(QUEUE);
        let driver = Arc::new(Task::spawn(drive(stream, waiting)));
        Ok(Connection { commands, driver })
    }
}

async fn drive(mut stream: BufStream<transport::Connection>, mut waiting: mpsc::Receiver<Command>) {
    loop {
        let command = tokio::select! {
            command = waiting.recv() => command,
            // The server has closed the connection, or said something without being asked.
            _ = stream.fill_buf() => return,
        };
        let Some(command) = command else { return };
        // Not sent once its caller has given up.
        if command.answer.is_closed() {
            continue;
        }
        let answer = wire::exchange(&mut stream, &command.bytes).await;
        let is_over = answer.is_err();
        // The caller may have given up meanwhile.
        let _ = command.answer.send(answer);
        if is_over {
            return;
        }
    }
}

//! Sockets that follow a script, for tests of what happens below HTTP, such as which side closes
//! when.
//!
//! ```
//! use vouchsafe_core::mock::script::{Script, ScriptedServer};
//!
//! # async fn example() -> vouchsafe_core::Result<()> {
//! let server = ScriptedServer::start([
//!     // The first connection answers one request and is reset after the next.
//!     Script::new().read_request().answer("{}").read_request().reset(),
//!     // Every later one answers as long as it is asked.
//!     Script::new().read_request().answer("{}").repeat(),
//! ])
//! .await?;
//! # Ok(()) }
//! ```

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::task::Task;
use crate::{Error, ErrorKind, Result};

/// The steps of one connection. It closes at the end of the script.
#[derive(Clone, Debug, Default)]
#[must_use = "a script does nothing until a server follows it"]
pub struct Script {
    steps: Vec<Step>,
    repeat: bool,
}

impl Script {
    /// Creates an empty script.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads one request including its body. The script ends here if the client closes instead.
    pub fn read_request(self) -> Self {
        self.then(Step::ReadRequest)
    }

    /// Writes bytes as they are.
    pub fn write(self, bytes: impl Into<Bytes>) -> Self {
        self.then(Step::Write(bytes.into()))
    }

    /// Writes a complete 200 answer with a JSON body, and keeps the connection open.
    pub fn answer(self, json: &str) -> Self {
        let length = json.len();
        self.write(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n\
             {json}"
        ))
    }

    /// Waits for a signal from the test: one `notify_one` for each connection.
    pub fn wait_for(self, signal: &Arc<Notify>) -> Self {
        self.then(Step::WaitFor(Arc::clone(signal)))
    }

    /// Waits until the client closes; anything it sends until then is discarded.
    pub fn wait_for_close(self) -> Self {
        self.then(Step::WaitForClose)
    }

    /// Shuts down the sending direction and continues with the script.
    pub fn finish(self) -> Self {
        self.then(Step::Finish)
    }

    /// Resets the connection.
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    /// Repeats the script from the beginning until the client closes.
    pub fn repeat(mut self) -> Self {
        self.repeat = true;
        self
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

/// A listener on loopback whose connections follow scripts: the first connection follows the first
/// script, and so on. Further connections follow the last one. Dropping it ends all connections.
#[derive(Debug)]
#[must_use = "dropping it ends the server"]
pub struct ScriptedServer {
    address: SocketAddr,
    counts: watch::Receiver<Counts>,
    _task: Task,
}

impl ScriptedServer {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if it cannot listen on loopback.
    pub async fn start(scripts: impl IntoIterator<Item = Script>) -> Result<Self> {
        let fail = |cause: io::Error| {
            Error::new(ErrorKind::Config, "cannot listen on loopback").with_source(cause)
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let (count, counts) = watch::channel(Counts::default());
        let scripts: Vec<Arc<Script>> = scripts.into_iter().map(Arc::new).collect();
        Ok(Self {
            address,
            counts,
            _task: Task::spawn(accept(listener, scripts, count)),
        })
    }

    /// Returns the address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the root URL without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns how many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counts.borrow().connections
    }

    /// Returns how many complete requests were read.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.counts.borrow().requests
    }

    /// Waits until `count` complete requests have been read.
    pub async fn until_requests(&self, count: usize) {
        self.until(|counts| counts.requests >= count).await;
    }

    /// Waits until `count` connections have reached the end of their script, or were closed by the
    /// client before that.
    pub async fn until_ended(&self, count: usize) {
        self.until(|counts| counts.ended >= count).await;
    }

    async fn until(&self, reached: impl Fn(&Counts) -> bool + Send + Sync) {
        // The sender lives as long as the task does, which is as long as `self`.
        let _ = self.counts.clone().wait_for(|counts| reached(counts)).await;
    }
}

#[derive(Clone, Debug)]
enum Step {
    ReadRequest,
    Write(Bytes),
    WaitFor(Arc<Notify>),
    WaitForClose,
    Finish,
    Reset,
}

#[derive(Debug, Default)]
struct Counts {
    connections: usize,
    requests: usize,
    ended: usize,
}

async fn accept(listener: TcpListener, scripts: Vec<Arc<Script>>, count: watch::Sender<Counts>) {
    let count = Arc::new(count);
    let mut connections = JoinSet::new();
    let mut scripts = scripts.into_iter();
    let mut script = Arc::default();
    while let Ok((tcp, _)) = listener.accept().await {
        script = scripts.next().unwrap_or(script);
        let followed = Arc::clone(&script);
        let count = Arc::clone(&count);
        count.send_modify(|counts| counts.connections += 1);
        connections.spawn(async move {
            // The client may disconnect at any step, which is a valid end.
            let _ = follow(tcp, &followed, &count).await;
            count.send_modify(|counts| counts.ended += 1);
        });
    }
}

async fn follow(
    mut tcp: TcpStream,
    script: &Script,
    count: &watch::Sender<Counts>,
) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let mut unread = BytesMut::new();
    loop {
        for step in &script.steps {
            match step {
                Step::ReadRequest => {
                    read_request(&mut tcp, &mut unread).await?;
                    count.send_modify(|counts| counts.requests += 1);
                }
                Step::Write(bytes) => tcp.write_all(bytes).await?,
                Step::WaitFor(signal) => signal.notified().await,
                Step::WaitForClose => {
                    while read_more(&mut tcp, &mut unread).await? > 0 {
                        unread.clear();
                    }
                }
                Step::Finish => tcp.shutdown().await?,
                Step::Reset => return tcp.set_zero_linger(),
            }
        }
        if !script.repeat || script.steps.is_empty() {
            return Ok(());
        }
    }
}

/// Reads one request from the connection; any bytes after it stay in `unread`.
async fn read_request(tcp: &mut TcpStream, unread: &mut BytesMut) -> io::Result<()> {
    let head = loop {
        if let Some(at) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            break unread.split_to(at + 4);
        }
        if read_more(tcp, unread).await? == 0 || unread.len() > MAX_REQUEST {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length = length
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    while unread.len() < length {
        if read_more(tcp, unread).await? == 0 || unread.len() > MAX_REQUEST {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let _ = unread.split_to(length);
    Ok(())
}

async fn read_more(tcp: &mut TcpStream, unread: &mut BytesMut) -> io::Result<usize> {
    tcp.read_buf(unread).await
}

const MAX_REQUEST: usize = 1 << 20;

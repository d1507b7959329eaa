//! The connection to the servers.

use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::Document;
use mongodb::error::{ErrorKind, WriteFailure};
use mongodb::options::{Acknowledgment, ClientOptions, ReadConcern, WriteConcern};
use mongodb::{Client, Collection};
use vouchsafe_core::store::{Broken, Claims, Link};
use vouchsafe_core::task::Task;
use vouchsafe_core::{Result, Secret};

/// The servers of a deployment, and how to log in there.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) link: Link<Connection>,
    pub(crate) url: Secret,
    pub(crate) limit: Duration,
    pub(crate) claims: Claims,
}

pub(crate) type Records = Collection<Document>;

/// The driver's client, which keeps and repairs its connections. It ends with its last clone.
#[derive(Clone)]
pub(crate) struct Connection {
    records: Records,
    /// Ends with the runtime, as the tasks of the driver do.
    runtime: Arc<Task>,
}

const DATABASE: &str = "vouchsafe";
const COLLECTION: &str = "vouchsafe_records";

impl Server {
    pub(crate) fn link(place: &str, limit: Duration) -> Link<Connection> {
        Link::new(place, limit, |connection: &Connection| {
            !connection.runtime.is_finished()
        })
    }

    /// Uses the collection within the limit.
    pub(crate) async fn call<T: Send, F>(
        &self,
        what: &str,
        work: impl FnOnce(Records) -> F + Send,
    ) -> Result<T>
    where
        F: Future<Output = mongodb::error::Result<T>> + Send,
    {
        let work = |connection: Connection| async move {
            work(connection.records)
                .await
                .map_err(|cause| broken(&cause))
        };
        self.link.call(what, || self.connect(), work).await
    }

    async fn connect(&self) -> Result<Connection, Broken> {
        let parsed = ClientOptions::parse(self.url.expose()).await;
        // Without the cause, which may quote the URL and its password.
        let mut options = parsed.map_err(|_| Broken::refused("the URL is not valid"))?;
        options.app_name = Some("vouchsafe".to_owned());
        options.connect_timeout = Some(self.limit / 2);
        options.server_selection_timeout = Some(self.limit);
        // Nothing is sent a second time.
        options.retry_reads = Some(false);
        options.retry_writes = Some(false);
        options.selection_criteria = None;
        options.read_concern = Some(ReadConcern::majority());
        let mut write_concern = WriteConcern::default();
        write_concern.w = Some(Acknowledgment::Majority);
        write_concern.journal = Some(true);
        write_concern.w_timeout = Some(self.limit);
        options.write_concern = Some(write_concern);
        let client = Client::with_options(options).map_err(|cause| broken(&cause))?;
        let database = client.default_database();
        let database = database.unwrap_or_else(|| client.database(DATABASE));
        Ok(Connection {
            records: database.collection(COLLECTION),
            runtime: Arc::new(Task::spawn(std::future::pending())),
        })
    }
}

/// Returns the server's number of an error, and its message.
fn refusal(cause: &mongodb::error::Error) -> Option<(i32, &str)> {
    match &*cause.kind {
        ErrorKind::Command(error) => Some((error.code, &error.message)),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some((error.code, &error.message)),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
            Some((error.code, &error.message))
        }
        _ => None,
    }
}

/// Returns whether there is a document of this name already.
pub(crate) fn is_duplicate(cause: &mongodb::error::Error) -> bool {
    refusal(cause).is_some_and(|(code, _)| code == 11000)
}

/// Numbers of errors after which a server may recover: it is being elected, stopped or is too slow.
const MAY_RECOVER: [i32; 16] = [
    6, 7, 50, 64, 89, 91, 112, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436,
];

/// Without the cause: what the driver says of an error, and the details of a server, may quote a
/// record.
fn broken(cause: &mongodb::error::Error) -> Broken {
    if let Some((code, message)) = refusal(cause) {
        let message = format!("{message} ({code})");
        return if MAY_RECOVER.contains(&code) {
            Broken::for_now(message)
        } else {
            Broken::refused(message)
        };
    }
    match &*cause.kind {
        ErrorKind::Authentication { .. } => {
            Broken::refused("the server refused the user or the password")
        }
        ErrorKind::Io(cause) => Broken::for_now(format!("the connection failed: {cause}")),
        ErrorKind::ServerSelection { .. } => Broken::for_now("no server answers that takes writes"),
        ErrorKind::ConnectionPoolCleared { .. } => Broken::for_now("the connection failed"),
        ErrorKind::DnsResolve { .. } => Broken::for_now("the name of the server is not known"),
        ErrorKind::InvalidTlsConfig { message, .. }
        | ErrorKind::InvalidArgument { message, .. }
        | ErrorKind::IncompatibleServer { message, .. } => Broken::refused(message.clone()),
        _ => Broken::for_now("the server does not answer as MongoDB does"),
    }
}

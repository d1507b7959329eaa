//! Calls of the key-value engine, version 2.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Method, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use vouchsafe_core::auth::{Credentials, HeaderToken, TokenSource};
use vouchsafe_core::call::{Answer, Call, CallOptions, Fault, Operation, Repeat};
use vouchsafe_core::store::Base64;
use vouchsafe_core::transport::Response;
use vouchsafe_core::url::{BaseUrl, Target};
use vouchsafe_core::{CoreClient, Error, ErrorKind, Result};

/// An answer may contain a record, which base64 makes a third longer.
const LARGEST_ANSWER: usize = 2 << 20;
const LARGEST_LIST: usize = 64 << 20;

const fn operation(id: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::new(id, method, path).response_limit(LARGEST_ANSWER)
}

static READ: Operation =
    operation("vault.read", Method::GET, "/v1/{mount}/data/{name}").repeat(Repeat::Safe);
static WRITE: Operation = operation("vault.write", Method::POST, "/v1/{mount}/data/{name}");
static LIST: Operation = operation("vault.list", Method::GET, "/v1/{mount}/metadata/{name}")
    .repeat(Repeat::Safe)
    .response_limit(LARGEST_LIST);

/// A server, and how to log in there.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) core: CoreClient,
    pub(crate) url: BaseUrl,
    pub(crate) mount: String,
    pub(crate) tokens: Arc<dyn TokenSource>,
    pub(crate) header: HeaderToken,
    pub(crate) limit: Duration,
}

pub(crate) const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");

/// What the engine holds under a name.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// The number of the last write, which may be a removal; 0 if there was none.
    pub(crate) number: u64,
    pub(crate) value: Option<Base64>,
}

/// The fields of a secret.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Fields {
    /// Missing in a record that was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Base64>,
}

#[derive(Serialize)]
struct Write<'a> {
    data: &'a Fields,
    options: Options,
}

#[derive(Serialize)]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    cas: Option<u64>,
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Deserialize)]
struct Read {
    /// `null` if the last version was deleted by other means.
    #[serde(default)]
    data: Option<Fields>,
    metadata: Version,
}

#[derive(Deserialize)]
struct Names {
    keys: Vec<String>,
}

/// The time at which a call that takes several requests ends.
pub(crate) type Late = Instant;

impl Api {
    pub(crate) fn late(&self) -> Late {
        vouchsafe_core::deadline::after(Instant::now(), self.limit)
    }

    async fn ask(&self, call: Call, late: Late) -> Result<Answer> {
        let left = late.saturating_duration_since(Instant::now());
        let options = CallOptions::new().deadline(left);
        let credentials = Credentials::new(&*self.tokens, &self.header);
        let asked = self
            .core
            .exchange(&self.url, call, Some(credentials), &options);
        asked.await.map_err(of_store)
    }

    fn target(&self, kind: &'static str, name: &str) -> Result<Target> {
        let path = format!("/v1/{}/{kind}/{name}", self.mount);
        Target::encoded(&path).map_err(of_store)
    }

    pub(crate) async fn read(&self, name: &str, late: Late) -> Result<State> {
        let call = Call::new(&READ, self.target("data", name)?);
        let answer = self.ask(call, late).await?;
        let read: Read = if answer.status() == StatusCode::NOT_FOUND {
            // Deleted by other means, there is still a number.
            match answer.json::<Envelope<Read>>() {
                Ok(envelope) => envelope.data,
                Err(_) => return nothing(answer).map(|()| State::default()),
            }
        } else {
            let answer = answer.expect_success().map_err(of_store)?;
            answer.json::<Envelope<Read>>().map_err(of_store)?.data
        };
        Ok(State {
            number: read.metadata.version,
            value: read.data.and_then(|fields| fields.value),
        })
    }

    /// Writes over the state with a number, or over any, and returns the new number. The inner
    /// error is that of a request that the server refused, maybe since there is another state.
    pub(crate) async fn write(
        &self,
        name: &str,
        cas: Option<u64>,
        fields: &Fields,
        late: Late,
    ) -> Result<Result<u64, Error>> {
        let options = Options { cas };
        let body = Write {
            data: fields,
            options,
        };
        let call = Call::new(&WRITE, self.target("data", name)?).secret_json(&body)?;
        let answer = self.ask(call, late).await?;
        let is_refused = answer.status() == StatusCode::BAD_REQUEST;
        match answer.expect_success() {
            Ok(answer) => {
                let version = answer.json::<Envelope<Version>>().map_err(of_store)?;
                Ok(Ok(version.data.version))
            }
            Err(refusal) if is_refused => Ok(Err(of_store(refusal))),
            Err(error) => Err(of_store(error)),
        }
    }

    pub(crate) async fn list(&self, folder: &str, late: Late) -> Result<Vec<String>> {
        let target = self.target("metadata", folder)?.query("list", "true");
        let answer = self.ask(Call::new(&LIST, target), late).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return nothing(answer).map(|()| Vec::new());
        }
        let answer = answer.expect_success().map_err(of_store)?;
        Ok(answer
            .json::<Envelope<Names>>()
            .map_err(of_store)?
            .data
            .keys)
    }
}

/// A refusal: `{"errors": ["..."]}`, without one if there is nothing under a name.
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<String>,
}

/// Tells a name under which there is nothing from one that no engine serves.
fn nothing(answer: Answer) -> Result<()> {
    let refusal = serde_json::from_slice::<Refusal>(answer.body());
    match (refusal, answer.expect_success()) {
        (Ok(refusal), _) if refusal.errors.is_empty() => Ok(()),
        (_, refused) => refused.map(drop).map_err(of_store),
    }
}

pub(crate) fn read_fault(response: &Response) -> Fault {
    let refusal = serde_json::from_slice::<Refusal>(&response.body);
    Fault::new(None, refusal.ok().map(|refusal| refusal.errors.join("; ")))
}

/// Errors of a store have one kind, whatever their cause.
pub(crate) fn of_store(error: Error) -> Error {
    error.with_kind(ErrorKind::Store)
}

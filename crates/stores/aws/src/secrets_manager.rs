//! Records as secrets, whose current version is moved.

use std::fmt::{self, Write as _};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::create_secret::CreateSecretError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use aws_sdk_secretsmanager::operation::update_secret_version_stage::UpdateSecretVersionStageError;
use aws_sdk_secretsmanager::primitives::Blob;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use vouchsafe_core::store::{
    Capabilities, Expect, Key, Loaded, Scope, Store, Swapped, Version, unique,
};
use vouchsafe_core::text::hex;
use vouchsafe_core::{BoxFuture, Error, ErrorKind, Result, SecretBytes};

use crate::Aws;
use crate::aws::Failed;

/// A [`Store`] in Secrets Manager, shared by all machines of an account. Each record is one secret,
/// which other tools can read.
///
/// Secrets Manager keeps a day of versions, at most about a hundred of a secret: take leases
/// elsewhere, such as those of `DynamoStore`, by
/// [`WithLease`](vouchsafe_core::store::WithLease).
///
/// Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct SecretsManagerStore {
    aws: Aws,
    client: Client,
    prefix: String,
}

/// The maximum size of a secret in bytes.
const LARGEST: usize = 65_536;
/// The maximum length of the name of a secret.
const LONGEST_NAME: usize = 512;

/// The labels of versions: the one that is read, and the one that is about to be.
const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// What a secret holds.
struct State {
    /// The id of the current version.
    id: String,
    /// `None` if the record was removed.
    value: Option<SecretBytes>,
}

/// What a version contains. Bytes that are text have a meaning of their own, since a record that is
/// text is kept as text.
enum Content {
    Text(String),
    Bytes(Blob),
}

const EMPTY: &[u8] = b"vouchsafe: an empty record";
const REMOVED: &[u8] = b"vouchsafe: a removed record";

impl Content {
    fn of(value: Option<&SecretBytes>) -> Self {
        let value = value.map(SecretBytes::expose);
        match value.map(std::str::from_utf8) {
            None => Self::Bytes(Blob::new(REMOVED)),
            Some(Ok("")) => Self::Bytes(Blob::new(EMPTY)),
            Some(Ok(text)) => Self::Text(text.to_owned()),
            Some(Err(_)) => Self::Bytes(Blob::new(value.unwrap_or_default())),
        }
    }

    fn split(self) -> (Option<String>, Option<Blob>) {
        match self {
            Self::Text(text) => (Some(text), None),
            Self::Bytes(bytes) => (None, Some(bytes)),
        }
    }
}

impl SecretsManagerStore {
    /// Keeps records as secrets whose names begin with a prefix and a slash, such as `vouchsafe`:
    /// the secret of the profile `default` of `app` is then `vouchsafe/app/default/record`. Other
    /// characters than letters, digits, `_`, `.` and `-` are written as `=` and two digits each. Does
    /// no I/O.
    ///
    /// # Errors
    ///
    /// Of kind [`Config`](ErrorKind::Config) if the prefix is empty, has more than 128 bytes or
    /// characters that names of secrets cannot have.
    pub fn new(aws: &Aws, prefix: impl Into<String>) -> Result<Self> {
        let prefix = prefix.into();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
        if prefix.is_empty() || prefix.len() > 128 || !prefix.bytes().all(fits) {
            let what = "the prefix of secrets has 1 to 128 letters, digits and `/_+=.@-`";
            return Err(Error::new(ErrorKind::Config, what));
        }
        Ok(Self {
            client: Client::new(aws.sdk()),
            aws: aws.clone(),
            prefix,
        })
    }

    fn name(&self, key: &Key) -> String {
        let names = format!("{}/{}", part(key.namespace()), part(key.profile()));
        // At the end, so that a name never looks like the end of an ARN: a hyphen and six letters.
        let kind = if key.is_lease() { "lease" } else { "record" };
        let name = format!("{}/{names}/{kind}", self.prefix);
        if name.len() <= LONGEST_NAME {
            return name;
        }
        // No name has two of the sign in a row.
        let digest = hex(&Sha256::digest(names));
        format!("{}/=={digest}/{kind}", self.prefix)
    }

    async fn read(&self, name: &str, late: Instant) -> Result<Option<State>> {
        let what = "read a secret of Secrets Manager";
        let call = self.client.get_secret_value();
        let call = call.secret_id(name).version_stage(CURRENT).send();
        let read = match self.aws.call(late, what, call).await {
            Ok(read) => read,
            Err(Failed {
                refusal: Some(GetSecretValueError::ResourceNotFoundException(_)),
                ..
            }) => return Ok(None),
            Err(failed) => return Err(with_hint(failed)),
        };
        let value = match (read.secret_string, read.secret_binary) {
            (Some(text), _) => Some(SecretBytes::from(text.into_bytes())),
            (None, Some(bytes)) if bytes.as_ref() == REMOVED => None,
            (None, Some(bytes)) if bytes.as_ref() == EMPTY => Some(SecretBytes::from(Vec::new())),
            (None, Some(bytes)) => Some(SecretBytes::from(bytes.into_inner())),
            (None, None) => return Err(of_another_form(name)),
        };
        let id = read.version_id.ok_or_else(|| of_another_form(name))?;
        Ok(Some(State { id, value }))
    }

    /// Creates a secret. `false` if it exists.
    async fn create(
        &self,
        name: &str,
        id: &str,
        value: &SecretBytes,
        late: Instant,
    ) -> Result<bool> {
        let (text, bytes) = Content::of(Some(value)).split();
        let call = self
            .client
            .create_secret()
            .name(name)
            .client_request_token(id)
            .set_secret_string(text)
            .set_secret_binary(bytes)
            .send();
        match self
            .aws
            .call(late, "create a secret of Secrets Manager", call)
            .await
        {
            Ok(_) => Ok(true),
            Err(Failed {
                refusal: Some(CreateSecretError::ResourceExistsException(_)),
                ..
            }) => Ok(false),
            Err(failed) => Err(with_hint(failed)),
        }
    }

    /// Adds a version that no reader sees. `false` if there is no such secret.
    async fn put(
        &self,
        name: &str,
        id: &str,
        value: Option<&SecretBytes>,
        late: Instant,
    ) -> Result<bool> {
        let (text, bytes) = Content::of(value).split();
        let call = self
            .client
            .put_secret_value()
            .secret_id(name)
            .client_request_token(id)
            .set_secret_string(text)
            .set_secret_binary(bytes)
            .version_stages(PENDING)
            .send();
        match self
            .aws
            .call(late, "write a secret of Secrets Manager", call)
            .await
        {
            Ok(_) => Ok(true),
            Err(Failed {
                refusal: Some(PutSecretValueError::ResourceNotFoundException(_)),
                ..
            }) => Ok(false),
            Err(failed) => Err(with_hint(failed)),
        }
    }

    /// Replaces one version by another, or removes the record. `false` if another one is current.
    async fn swap(
        &self,
        name: &str,
        seen: &str,
        id: &str,
        value: Option<&SecretBytes>,
        late: Instant,
    ) -> Result<bool> {
        if !self.put(name, id, value, late).await? {
            return Ok(false);
        }
        let call = self
            .client
            .update_secret_version_stage()
            .secret_id(name)
            .version_stage(CURRENT)
            .remove_from_version_id(seen)
            .move_to_version_id(id)
            .send();
        let what = "make a version of a secret of Secrets Manager the current one";
        let Err(failed) = self.aws.call(late, what, call).await else {
            return Ok(true);
        };
        let may_be_another = matches!(
            failed.refusal,
            Some(
                UpdateSecretVersionStageError::InvalidParameterException(_)
                    | UpdateSecretVersionStageError::ResourceNotFoundException(_)
            )
        );
        // If the version was right, that is not what the service minds.
        if may_be_another
            && self
                .read(name, late)
                .await?
                .is_none_or(|now| now.id != seen)
        {
            return Ok(false);
        }
        Err(with_hint(failed))
    }

    /// Writes a record, or removes it. `Err` has the present state.
    async fn replace(
        &self,
        key: &Key,
        expect: &Expect,
        value: Option<&SecretBytes>,
    ) -> Result<Result<Version, Option<State>>> {
        let (name, id, late) = (self.name(key), new_id(), self.aws.late());
        let mut is_there = false;
        loop {
            // First, since a version counts even if it never becomes the current one.
            let now = self.read(&name, late).await?;
            let present = now.as_ref().filter(|state| state.value.is_some());
            let version = present.map(|state| Version::new(state.id.as_bytes()));
            if !expect.is_met_by(version.as_ref()) {
                return Ok(Err(now));
            }
            let is_done = match (&now, value) {
                (Some(state), _) if present.is_some() || value.is_some() => {
                    self.swap(&name, &state.id, &id, value, late).await?
                }
                (None, Some(_)) if is_there => {
                    let what = format!(
                        "the secret {name} of Secrets Manager has no value; give it one, or delete it"
                    );
                    return Err(Error::new(ErrorKind::Store, what));
                }
                (None, Some(value)) => {
                    is_there = !self.create(&name, &id, value, late).await?;
                    !is_there
                }
                _ => return Ok(Err(now)),
            };
            if is_done {
                return Ok(Ok(Version::new(id.as_bytes())));
            }
            // Each round was lost to another writer.
        }
    }
}

fn with_hint<E>(failed: Failed<E>) -> Error {
    failed.hint(&[(
        "InvalidRequestException",
        "if it is scheduled for deletion, restore it",
    )])
}

fn of_another_form(name: &str) -> Error {
    let what = format!("the secret {name} of Secrets Manager has another form than a record");
    Error::new(ErrorKind::Store, what)
}

/// Returns a part of a name as secrets may have it.
fn part(text: &str) -> String {
    if text.is_empty() {
        return "=".to_owned();
    }
    let mut part = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-".contains(&byte) {
            part.push(byte.into());
        } else {
            // Writing to a string does not fail.
            let _ = write!(part, "={byte:02X}");
        }
    }
    part
}

/// Returns a new id of a version: 32 random digits.
fn new_id() -> String {
    hex(&unique())
}

fn loaded(state: State) -> Option<Loaded> {
    let version = Version::new(state.id.as_bytes());
    state.value.map(|value| Loaded { value, version })
}

impl Store for SecretsManagerStore {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Loaded>>> {
        Box::pin(async move {
            Ok(self
                .read(&self.name(key), self.aws.late())
                .await?
                .and_then(loaded))
        })
    }

    fn compare_and_swap<'a>(
        &'a self,
        key: &'a Key,
        expect: &'a Expect,
        value: &'a SecretBytes,
    ) -> BoxFuture<'a, Result<Swapped>> {
        Box::pin(async move {
            self.capabilities().require_room(key, value)?;
            Ok(match self.replace(key, expect, Some(value)).await? {
                Ok(version) => Swapped::Done(version),
                Err(state) => Swapped::Conflict(state.and_then(loaded)),
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a Key, expect: &'a Expect) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            // A missing record cannot be removed.
            if *expect == Expect::Absent {
                return Ok(false);
            }
            Ok(self.replace(key, expect, None).await?.is_ok())
        })
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Scope::Network);
        capabilities.max_bytes = Some(LARGEST);
        capabilities.limit = self.aws.limit();
        capabilities
    }
}

/// Without the SDK's client, which shows its settings, among them the id of the access key.
impl fmt::Debug for SecretsManagerStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsManagerStore")
            .field("aws", &self.aws)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

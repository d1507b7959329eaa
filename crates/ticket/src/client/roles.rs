//! Roles fetched, from tirole or from tvmtool (protocol sections 13.1 and 15.2).

use std::sync::Arc;

use http::header::IF_NONE_MATCH;
use http::{HeaderValue, StatusCode};
use vouchsafe_core::call::{Answer, Call};

use super::worker::Worker;
use crate::client::protocol::blob::{join_roles, split_roles};
use crate::client::protocol::requests::if_none_match;
use crate::client::protocol::{CacheFile, Scope, roles_codec};
use crate::engine::roles::Roles;
use crate::error::{Error, ErrorKind, Result};
use crate::generated::tirole::operations::GET_ACTUAL_ROLES;

impl Worker {
    /// Takes an answer over. Returns the document if it is a new one.
    pub(super) async fn take_roles(&mut self, answer: &Answer) -> Option<String> {
        match self.read_roles(answer).await {
            Ok(None) => {
                self.roles_are_fresh();
                None
            }
            Ok(Some(roles)) => {
                let document = roles.raw().to_owned();
                tracing::info!(revision = roles.revision(), "Roles were updated");
                self.shared.roles.store(Some(Arc::new(roles)));
                self.roles_are_fresh();
                Some(document)
            }
            Err(error) => {
                self.fetcher.fail_to_read(Scope::Roles, &error);
                None
            }
        }
    }

    fn roles_are_fresh(&mut self) {
        self.shared
            .updated
            .roles
            .set(self.shared.now(), self.shared.now());
        self.fetcher.succeed(Scope::Roles);
    }

    /// `None`: what is known is still so.
    async fn read_roles(&self, answer: &Answer) -> Result<Option<Roles>> {
        if answer.status() == StatusCode::NOT_MODIFIED {
            return match self.shared.roles.load().as_ref() {
                Some(_) => Ok(None),
                None => Err(answer
                    .decode_error("roles did not change, but none are known")
                    .into()),
            };
        }
        if answer.status() != StatusCode::OK {
            return Err(answer.decode_error("the answer holds no roles").into());
        }
        let header =
            match answer.headers().get(roles_codec::HEADER) {
                None => None,
                Some(value) => Some(value.to_str().map_err(|_| {
                    answer.decode_error("the header x-tirole-compression is no text")
                })?),
            };
        let (header, body) = (header.map(str::to_owned), answer.body().clone());
        let applied = self.shared.clock().now();
        // A document of a hundred thousand roles takes a tenth of a second.
        blocking(move || {
            // What may come packed may unpack to as much.
            let limit = GET_ACTUAL_ROLES.max_response();
            let document = roles_codec::decode(header.as_deref(), &body, limit)?;
            let document = String::from_utf8(document).map_err(|_| {
                let decode = ErrorKind::Core(vouchsafe_core::ErrorKind::Decode);
                Error::new(decode, "roles are not UTF-8")
            })?;
            Roles::parse(&document, applied).map(Some)
        })
        .await
    }

    pub(super) async fn save_roles(&self, document: &str, slug: &str) {
        let text = join_roles(document, slug);
        self.write(CacheFile::Roles, self.shared.now(), text.into_bytes())
            .await;
    }

    pub(super) async fn roles_from_disk(&mut self, slug: &str) {
        let Some(blob) = self.read(CacheFile::Roles).await else {
            return;
        };
        let parsed = match blob.text().map(split_roles) {
            Ok(Some((document, own))) if own == slug => {
                let (document, applied) = (document.to_owned(), self.shared.clock().now());
                blocking(move || Roles::parse(&document, applied)).await
            }
            Ok(_) => {
                tracing::warn!("Roles in the disk cache are of another system");
                return;
            }
            Err(error) => Err(error),
        };
        match parsed {
            Ok(roles) => {
                self.shared.roles.store(Some(Arc::new(roles)));
                self.shared.updated.roles.set(blob.time, self.shared.now());
            }
            Err(error) => {
                tracing::warn!(
                    error = error.message(),
                    "Roles in the disk cache make no sense"
                );
            }
        }
    }
}

/// Adds the revision at hand, so that the same document does not come again. A revision that does
/// not fit a header is left out: the document then comes each time, which is better than never.
pub(super) fn unless_known(known: Option<&Roles>, call: Call) -> Result<Call> {
    let revision = known.map(|roles| if_none_match(roles.revision()));
    match revision.filter(|text| HeaderValue::from_str(text).is_ok()) {
        Some(text) => Ok(call.header(IF_NONE_MATCH, &text)?),
        None => Ok(call),
    }
}

/// Runs what takes long, or waits for the disk, outside of the runtime's own threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    vouchsafe_core::task::blocking("work outside of the runtime", work).await?
}

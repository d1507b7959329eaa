//! Fetching roles from tirole or tvmtool (protocol sections 13.1 and 15.2).

use std::sync::Arc;
use std::time::SystemTime;

use http::header::IF_NONE_MATCH;
use http::{HeaderValue, StatusCode};
use vouchsafe_core::call::{Answer, Call};
use vouchsafe_core::task::blocking;

use crate::client::fetch::Fetcher;
use crate::client::held::Held;
use crate::client::protocol::blob::split_roles;
use crate::client::protocol::requests::if_none_match;
use crate::client::protocol::{Blob, Scope, roles_codec};
use crate::engine::roles::Roles;
use crate::error::{Error, ErrorKind, Result};
use crate::generated::tirole::operations::GET_ACTUAL_ROLES;

/// Uses the roles of an answer. Returns the document if it is new.
pub(super) async fn take_roles(held: &Held, fetcher: &Fetcher, answer: &Answer) -> Option<String> {
    let roles = match read_roles(held, answer).await {
        Ok(roles) => roles,
        Err(error) => {
            fetcher.fail_to_read(Scope::Roles, &error);
            return None;
        }
    };
    let document = roles.map(|roles| {
        let document = roles.raw().to_owned();
        tracing::info!(revision = roles.revision(), "Roles were updated");
        held.roles.store(Some(Arc::new(roles)));
        document
    });
    held.updated.roles.set(held.now(), held.now());
    fetcher.succeed(Scope::Roles);
    document
}

/// Returns `None` if the known roles are still current.
async fn read_roles(held: &Held, answer: &Answer) -> Result<Option<Roles>> {
    if answer.status() == StatusCode::NOT_MODIFIED {
        return match held.roles.load().as_ref() {
            Some(_) => Ok(None),
            None => Err(answer
                .decode_error("roles did not change, but none are known")
                .into()),
        };
    }
    if answer.status() != StatusCode::OK {
        return Err(answer.decode_error("the answer contains no roles").into());
    }
    let header = match answer.headers().get(roles_codec::HEADER) {
        None => None,
        Some(value) => Some(
            value
                .to_str()
                .map_err(|_| answer.decode_error("the header x-tirole-compression is not text"))?,
        ),
    };
    let (header, body) = (header.map(str::to_owned), answer.body().clone());
    let applied = held.clock().now();
    // Parsing a document of a hundred thousand roles takes a tenth of a second.
    blocking("reading roles", move || {
        // Compressed and uncompressed answers have the same limit.
        let limit = GET_ACTUAL_ROLES.max_response();
        let document = roles_codec::decode(header.as_deref(), &body, limit)?;
        let document = String::from_utf8(document).map_err(|_| {
            let decode = ErrorKind::Core(vouchsafe_core::ErrorKind::Decode);
            Error::new(decode, "roles are not UTF-8")
        })?;
        Roles::parse(&document, applied).map(Some)
    })
    .await?
}

/// Parses the file of the disk cache. Returns `None` if it is of another role system.
pub(super) async fn parse_on_disk(
    blob: &Blob,
    slug: &str,
    applied: SystemTime,
) -> Result<Option<Roles>> {
    let document = match blob.text().map(split_roles)? {
        Some((document, own)) if own == slug => document.to_owned(),
        _ => return Ok(None),
    };
    let parse = move || Roles::parse(&document, applied);
    blocking("reading roles", parse).await?.map(Some)
}

/// Adds the current revision, so that the same document is not sent again. A revision that is not
/// valid in a header is left out: the document is then sent every time, which is better than never.
pub(super) fn unless_known(known: Option<&Roles>, call: Call) -> Result<Call> {
    let revision = known.map(|roles| if_none_match(roles.revision()));
    match revision.filter(|text| HeaderValue::from_str(text).is_ok()) {
        Some(text) => Ok(call.header(IF_NONE_MATCH, &text)?),
        None => Ok(call),
    }
}

//! Compressed answers, for a transport that asks for them.

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::response::Parts;
use http::{HeaderMap, HeaderValue};

use super::broken;
use crate::{Error, ErrorKind, Result, Sent, unpack};

/// The value of `Accept-Encoding`: what is compiled in, the better first.
pub(super) fn accepted() -> HeaderValue {
    HeaderValue::from_static(if cfg!(all(feature = "gzip", feature = "zstd")) {
        "zstd, gzip"
    } else if cfg!(feature = "zstd") {
        "zstd"
    } else {
        "gzip"
    })
}

/// Decompresses the body of an answer if it has a coding that was asked for. The limit counts what
/// comes out. Other codings are left to the caller, who refuses them.
pub(super) fn decoded(mut head: Parts, body: Bytes, limit: usize) -> Result<(Parts, Bytes)> {
    if body.is_empty() {
        return Ok((head, body));
    }
    let unpacked = match only(&head.headers) {
        #[cfg(feature = "gzip")]
        Some(name) if is(name, "gzip") || is(name, "x-gzip") => unpack::gzip(&body, limit),
        #[cfg(feature = "zstd")]
        Some(name) if is(name, "zstd") => unpack::zstd(&body, limit),
        _ => return Ok((head, body)),
    };
    let unpacked = unpacked.map_err(|error| match error.kind() {
        ErrorKind::TooLarge => broken::too_large(head.status, limit),
        _ => Error::new(error.kind(), error.message())
            .with_sent(Sent::Maybe)
            .with_status(head.status),
    })?;
    head.headers.remove(CONTENT_ENCODING);
    head.headers.remove(CONTENT_LENGTH);
    Ok((head, unpacked.into()))
}

/// Returns the coding of a body, unless it has several or none.
fn only(headers: &HeaderMap) -> Option<&[u8]> {
    let mut lines = headers.get_all(CONTENT_ENCODING).iter();
    let only = lines.next()?.as_bytes().trim_ascii();
    lines.next().is_none().then_some(only)
}

fn is(name: &[u8], coding: &str) -> bool {
    name.eq_ignore_ascii_case(coding.as_bytes())
}

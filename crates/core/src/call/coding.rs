//! Content codings. Calls request none, and an answer that has one anyway is not read.

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, StatusCode};

use crate::{Error, ErrorKind, Sent};

/// Returns the name of the content coding of a body, if it has one.
pub(super) fn of(headers: &HeaderMap) -> Option<&'static str> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    lines
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .find(|name| !name.is_empty() && !name.eq_ignore_ascii_case(b"identity"))
        .map(known)
}

/// Returns the registered name, so that errors do not repeat foreign text.
fn known(name: &[u8]) -> &'static str {
    let mut names = KNOWN.into_iter();
    let found = names.find(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    found.unwrap_or("of an unknown name")
}

const KNOWN: [&str; 7] = [
    "gzip",
    "x-gzip",
    "deflate",
    "compress",
    "br",
    "zstd",
    "aes128gcm",
];

/// Handles an answer that something between client and server compressed although the client did
/// not ask for it.
pub(super) fn unasked(status: StatusCode, coding: &str) -> Error {
    let message = format!("the answer has the content coding {coding}, which was not asked for");
    Error::new(ErrorKind::Decode, message)
        .with_sent(Sent::Maybe)
        .with_status(status)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_coding_is_found_however_it_is_written() {
        for (lines, coding) in [
            (&[][..], None),
            (&["identity"], None),
            (&["", " , Identity"], None),
            (&["GZip"], Some("gzip")),
            (&["identity, br"], Some("br")),
            (&["identity", "zstd"], Some("zstd")),
            (&["planted"], Some("of an unknown name")),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(of(&headers), coding, "{lines:?}");
        }
    }
}

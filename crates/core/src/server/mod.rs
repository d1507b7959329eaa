//! Common parts of the server sides of services: a request is checked before the service behind a
//! layer sees it, and refusals have one form in code. The checks themselves belong to the services.

mod async_check;
mod check;
mod failure;
mod refusal;

use std::fmt;

use http::{HeaderMap, HeaderValue};

pub use async_check::{AsyncCheck, AsyncCheckService};
pub use check::{Check, CheckFuture, CheckService};
pub use failure::Failure;
pub use refusal::{Loudness, RefusalKind, Refused};

/// Returns the only value of a header, without white space around it. An empty header counts as a
/// missing one, since clients and proxies send empty headers when they have no value.
///
/// # Errors
///
/// [`Repeated`] if the header occurs more than once: parts of a system could disagree on which
/// value counts.
pub fn single<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h [u8]>, Repeated> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Repeated);
    }
    Ok(first
        .map(HeaderValue::as_bytes)
        .map(<[u8]>::trim_ascii)
        .filter(|value| !value.is_empty()))
}

/// Marks every value of a header as sensitive, so that code which logs headers does not log it. The
/// name is in lower case.
pub fn mark_sensitive(headers: &mut HeaderMap, name: &str) {
    // Not with `entry`, which would reserve room for another value.
    let values = headers
        .iter_mut()
        .filter(|(other, _)| other.as_str() == name);
    values.for_each(|(_, value)| value.set_sensitive(true));
}

/// A header that may occur once was repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say")]
pub struct Repeated;

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("came more than once")
    }
}

impl std::error::Error for Repeated {}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let pair = |value: &&'static str| {
            let name = http::HeaderName::from_static("x-one");
            (name, HeaderValue::from_static(value))
        };
        values.iter().map(pair).collect()
    }

    #[test]
    fn one_value_is_returned_and_two_are_refused() {
        assert_eq!(single(&headers(&[]), "x-one"), Ok(None));
        assert_eq!(single(&headers(&[" "]), "x-one"), Ok(None));
        assert_eq!(single(&headers(&["a "]), "X-One"), Ok(Some(&b"a"[..])));
        assert_eq!(single(&headers(&["a", "a"]), "x-one"), Err(Repeated));
        assert_eq!(single(&headers(&["a", ""]), "x-one"), Err(Repeated));
    }

    #[test]
    fn every_value_is_marked() {
        let mut all = headers(&["planted", "planted"]);
        mark_sensitive(&mut all, "x-one");
        mark_sensitive(&mut all, "x-other");
        assert!(!format!("{all:?}").contains("planted"));
    }
}

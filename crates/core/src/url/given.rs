//! Parts of URLs as they were given, before they are parsed.

use std::fmt;
use std::ops::Deref;

use super::{BaseUrl, host};

/// The text of a URL, or of a part of one, as a builder was given it.
///
/// `Debug` shows a URL without its query, and nothing of a text that [`BaseUrl::parse`] would refuse
/// for another reason: it may hold a password, or not be a URL at all.
///
/// ```
/// use vouchsafe_core::url::Given;
///
/// let url = |text: &str| format!("{:?}", Given::from(text));
/// assert_eq!(url("nats://h.example:4222"), "\"nats://h.example:4222\"");
/// assert_eq!(url("https://h.example/a?key=hunter2"), "\"https://h.example/a\"");
/// assert_eq!(url("https://me:hunter2@h.example"), "(not shown)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    text: String,
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Host,
    Path,
}

impl Given {
    /// A host: `Debug` shows only what [`host`] accepts.
    #[must_use]
    pub fn host(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            part: Part::Host,
        }
    }

    /// A path, with or without a slash at the beginning: `Debug` shows it without a query, unless it
    /// is a whole URL.
    #[must_use]
    pub fn path(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            part: Part::Path,
        }
    }

    fn shown(&self) -> Option<String> {
        // What is in front of it, or part of that, may be a password: where it ends, only a parser that
        // accepts the text could say.
        if self.text.contains('@') {
            return None;
        }
        let text = self.text.split(['?', '#']).next().unwrap_or_default();
        match self.part {
            Part::Whole => url(text),
            Part::Host => host(&self.text).ok(),
            Part::Path => {
                let path = text.trim_start_matches('/');
                let is_path = BaseUrl::parse(&format!("http://h/{path}")).is_ok();
                (is_path && !path.contains("://")).then(|| text.to_owned())
            }
        }
    }
}

/// Returns a URL of any scheme, if it is otherwise one of a server.
fn url(text: &str) -> Option<String> {
    if text.starts_with("unix:") {
        return BaseUrl::parse(text).ok().map(|url| url.to_string());
    }
    let (scheme, rest) = text.split_once("://")?;
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if scheme.is_empty() || !scheme.bytes().all(is_inner) {
        return None;
    }
    BaseUrl::parse(&format!("http://{rest}"))
        .is_ok()
        .then(|| text.to_owned())
}

impl<T: Into<String>> From<T> for Given {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            part: Part::Whole,
        }
    }
}

impl Deref for Given {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown() {
            Some(text) => fmt::Debug::fmt(&text, f),
            None => f.write_str("(not shown)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_server_would_be_found_by_is_shown() {
        for (given, shown) in [
            (
                Given::from("https://h.example:1/a/"),
                "https://h.example:1/a/",
            ),
            (Given::from("tls://[::1]:4222"), "tls://[::1]:4222"),
            (
                Given::from("https://h.example/a?b=planted"),
                "https://h.example/a",
            ),
            (
                Given::from("https://h.example#planted"),
                "https://h.example",
            ),
            (Given::host("::1"), "[::1]"),
            (Given::host("h.example"), "h.example"),
            (Given::path("/api/auth"), "/api/auth"),
            (Given::path("ui?a=planted"), "ui"),
            (Given::path(""), ""),
        ] {
            assert_eq!(format!("{given:?}"), format!("{shown:?}"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_file_is_shown() {
        let given = Given::from("unix:/run/a.sock:/v1?q=planted");
        assert_eq!(format!("{given:?}"), "\"unix:/run/a.sock:/v1\"");
    }

    #[test]
    fn what_may_hold_a_password_is_not() {
        for text in [
            "https://user:planted@h.example",
            "https://planted@h.example",
            "https://user:pla/nted@h.example",
            "https://planted?@h.example",
            "https://planted#@h.example",
            "https://user:planted%40h.example",
            "https://user:planted",
            "planted://user:planted",
            "user:planted@h.example",
            "planted",
            "https://h.example/plan ted",
            "unix:planted",
            "pla nted://h.example",
        ] {
            assert_eq!(format!("{:?}", Given::from(text)), "(not shown)", "{text}");
        }
        for given in [
            Given::host("user:planted@h.example"),
            Given::host("http://planted"),
            Given::path("planted@h"),
            Given::path("plan ted"),
            Given::path("https://user:planted"),
        ] {
            assert_eq!(format!("{given:?}"), "(not shown)");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// However the rest looks, what is in front of an `@` or in the query is not shown.
        #[test]
        fn no_secret_is_shown(before in "[ -~]{0,8}", after in "[ -~]{0,8}") {
            for text in [
                format!("https://{before}planted{after}@h.example"),
                format!("{before}planted{after}@h.example"),
                format!("https://h.example/{before}?{after}planted"),
                format!("nats://h.example#{before}planted{after}"),
            ] {
                for given in [Given::from(&*text), Given::host(&*text), Given::path(&*text)] {
                    prop_assert!(!format!("{given:?}").contains("planted"), "{}", text);
                }
            }
        }
    }
}

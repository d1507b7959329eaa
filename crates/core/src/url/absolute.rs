//! Absolute URLs of other servers, as documents and headers have them: checked and normalized.

use std::fmt;
use std::net::Ipv6Addr;
use std::ops::Range;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{is_host, port};

/// An absolute `http` or `https` URL, normalized as the URL standard of browsers does: scheme and
/// host in lower case, no default port, no dot segments, `/` for an empty path, and characters that
/// must be encoded are.
///
/// A host in another script than ASCII becomes Punycode with the feature `punycode`, and is refused
/// without. Forms that only browsers accept are refused: backslashes, line ends and tabs, a missing
/// `//`, percent signs in a host, and short forms of IPv4 addresses.
///
/// ```
/// use vouchsafe_core::url::Absolute;
///
/// let url = Absolute::parse("HTTPS://E.org:443/a b/../c")?;
/// assert_eq!(url.as_str(), "https://e.org/c");
/// assert_eq!((url.host(), url.path()), ("e.org", "/c"));
/// # Ok::<(), vouchsafe_core::url::Fault>(())
/// ```
///
/// `Debug` shows the host only: the rest may be confidential.
#[derive(Clone, PartialEq, Eq)]
pub struct Absolute {
    text: String,
    host: Range<usize>,
    path: Range<usize>,
}

/// Why a text is not an [`Absolute`] URL. Never includes the text, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The text is not an absolute URL.
    Form,
    /// The scheme is neither `http` nor `https`.
    Scheme,
    /// The host is in another script than ASCII, and the feature `punycode` is off.
    Script,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "not an absolute URL",
            Self::Scheme => "neither an http nor an https URL",
            Self::Script => {
                "a URL whose host is not in ASCII: write it in Punycode (xn--…), or enable the \
                 feature `punycode`"
            }
        })
    }
}

impl std::error::Error for Fault {}

impl Absolute {
    /// Parses and normalizes a URL; white space around it is removed.
    ///
    /// # Errors
    ///
    /// The [`Fault`] of the text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let given = text.trim_matches(|c: char| c <= ' ');
        let (scheme, rest) = given.split_once(':').ok_or(Fault::Form)?;
        let (scheme, usual) = match scheme {
            _ if scheme.eq_ignore_ascii_case("https") => ("https", 443),
            _ if scheme.eq_ignore_ascii_case("http") => ("http", 80),
            _ if is_scheme(scheme) => return Err(Fault::Scheme),
            _ => return Err(Fault::Form),
        };
        let rest = rest.strip_prefix("//").ok_or(Fault::Form)?;
        if rest.contains(['\\', '\t', '\r', '\n']) {
            return Err(Fault::Form);
        }
        let (rest, fragment) = split(rest, '#');
        let (rest, query) = split(rest, '?');
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, place) = authority.rsplit_once('@').unwrap_or(("", authority));

        let mut text = format!("{scheme}://");
        if !matches!(user, "" | ":") {
            let (name, password) = user.split_once(':').unwrap_or((user, ""));
            text.extend(utf8_percent_encode(name, USER));
            if !password.is_empty() {
                text.push(':');
                text.extend(utf8_percent_encode(password, USER));
            }
            text.push('@');
        }
        let (host, port) = host_and_port(place)?;
        let start = text.len();
        text.push_str(&host);
        let host = start..text.len();
        if let Some(port) = port.filter(|port| *port != usual) {
            text.push_str(&format!(":{port}"));
        }
        let start = text.len();
        append_path(path, &mut text);
        let path = start..text.len();
        for (sign, part, set) in [('?', query, QUERY), ('#', fragment, FRAGMENT)] {
            if let Some(part) = part {
                text.push(sign);
                text.extend(utf8_percent_encode(part, set));
            }
        }
        Ok(Self { text, host, path })
    }

    /// Returns the whole URL, including user information.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the host; an IPv6 address has its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.text[self.host.clone()]
    }

    /// Returns the path, which begins with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[self.path.clone()]
    }
}

impl fmt::Debug for Absolute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Absolute({})", self.host())
    }
}

fn split(text: &str, sign: char) -> (&str, Option<&str>) {
    text.split_once(sign)
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

fn is_scheme(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(is_inner)
}

fn host_and_port(place: &str) -> Result<(String, Option<u16>), Fault> {
    let end = match place.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(Fault::Form)? + 2,
        None => place.find(':').unwrap_or(place.len()),
    };
    let (host, rest) = place.split_at(end);
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        // As if it were not there.
        Some("") => None,
        // Port 0 is of no use, so it is refused, and so are signs.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port(digits).ok_or(Fault::Form)?)
        }
        _ => return Err(Fault::Form),
    };
    Ok((normal_host(host)?, port))
}

fn normal_host(host: &str) -> Result<String, Fault> {
    let host = match host.is_ascii() {
        true => host.to_ascii_lowercase(),
        false => punycode(host)?,
    };
    if !is_host(&host) {
        return Err(Fault::Form);
    }
    let inner = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    if let Some(address) = inner.and_then(|inner| inner.parse::<Ipv6Addr>().ok()) {
        return Ok(format!("[{}]", hexadecimal(address)));
    }
    Ok(host)
}

/// Writes an address without the dotted form, which browsers do not use.
fn hexadecimal(address: Ipv6Addr) -> String {
    match address.to_ipv4_mapped() {
        Some(_) => {
            let [.., high, low] = address.segments();
            format!("::ffff:{high:x}:{low:x}")
        }
        None => address.to_string(),
    }
}

#[cfg(feature = "punycode")]
fn punycode(host: &str) -> Result<String, Fault> {
    idna::domain_to_ascii(host).map_err(|_| Fault::Form)
}

#[cfg(not(feature = "punycode"))]
const fn punycode(_: &str) -> Result<String, Fault> {
    Err(Fault::Script)
}

/// Appends a path without its dot segments.
fn append_path(path: &str, text: &mut String) {
    let start = text.len();
    let mut segments = path.split('/').skip(1).peekable();
    if segments.peek().is_none() {
        text.push('/');
    }
    while let Some(segment) = segments.next() {
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        match dots.as_str() {
            "." => {}
            ".." => {
                let end = text[start..]
                    .rfind('/')
                    .map_or(start, |slash| start + slash);
                text.truncate(end);
            }
            _ => {
                text.push('/');
                text.extend(utf8_percent_encode(segment, PATH));
                continue;
            }
        }
        // A path that ends in a dot segment ends in a slash.
        if segments.peek().is_none() {
            text.push('/');
        }
    }
}

// The sets of the URL standard, section 1.3.
const FRAGMENT: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\'');
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');
const USER: &AsciiSet = &PATH
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'=')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'|');

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn urls_are_normalized() {
        for (text, normal) in [
            ("https://h.example", "https://h.example/"),
            (" HTTP://H.Example:80/a b/../c ", "http://h.example/c"),
            ("https://h.example:8443/%20", "https://h.example:8443/%20"),
            ("https://h.example:/a/./b/..", "https://h.example/a/"),
            ("https://h.example/../..//%2E%2e/x", "https://h.example/x"),
            ("https://h?q=a b'#f`", "https://h/?q=a%20b%27#f%60"),
            (
                "https://[::FFFF:1.2.3.4]:443/é",
                "https://[::ffff:102:304]/%C3%A9",
            ),
            ("https://[0:0:0:1:0:0:0:0]", "https://[0:0:0:1::]/"),
            ("https://127.0.0.1/x", "https://127.0.0.1/x"),
            ("https://u:p:w@h/", "https://u:p%3Aw@h/"),
            ("https://@h/", "https://h/"),
        ] {
            assert_eq!(Absolute::parse(text).unwrap().as_str(), normal, "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused_and_not_shown() {
        for (text, fault) in [
            ("", Fault::Form),
            ("h.example/x", Fault::Form),
            ("//h.example/x", Fault::Form),
            ("https:h.example", Fault::Form),
            ("https://", Fault::Form),
            ("https:///x", Fault::Form),
            ("https://u@/x", Fault::Form),
            ("https://h\\@e.example/", Fault::Form),
            ("https://h%2ee.example/", Fault::Form),
            ("https://h e/", Fault::Form),
            ("https://127.1/", Fault::Form),
            ("https://[::1/", Fault::Form),
            ("https://[::1]e/", Fault::Form),
            ("https://h:0/", Fault::Form),
            ("https://h:65536/", Fault::Form),
            ("https://h:+80/", Fault::Form),
            ("https://h/a\nb", Fault::Form),
            ("ftp://h.example/", Fault::Scheme),
            ("1tp://h.example/", Fault::Form),
        ] {
            assert_eq!(Absolute::parse(text).unwrap_err(), fault, "{text}");
        }
        let url = Absolute::parse("https://u:planted@h.example/planted").unwrap();
        assert!(!format!("{url:?}").contains("planted"));
    }

    #[test]
    fn hosts_in_other_scripts_need_a_feature() {
        let url = Absolute::parse("https://Ü.example/");
        if cfg!(feature = "punycode") {
            assert_eq!(url.unwrap().as_str(), "https://xn--tda.example/");
            assert_eq!(Absolute::parse("https://\u{ad}/"), Err(Fault::Form));
        } else {
            let fault = url.unwrap_err();
            assert_eq!(fault, Fault::Script);
            assert!(fault.to_string().contains("`punycode`"));
        }
    }

    /// Texts that are nearly URLs: the signs that divide one, and characters that are encoded.
    fn nearly() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[a-z]{1,3}",
            "[ -~]",
            prop::sample::select(vec![
                "..",
                ".",
                "%2e",
                "%2E.",
                "/",
                "//",
                ":",
                "@",
                "?",
                "#",
                "[",
                "]",
                "[::1]",
                "é",
                "%",
                "\u{7f}",
                "1",
                "0",
                "80",
                "443",
                "::ffff:1.2.3.4",
                "127.0.0.1",
                "0x1",
                "\u{1}",
            ])
            .prop_map(str::to_owned),
        ];
        let pieces = prop::collection::vec(piece, 0..12);
        let scheme = prop::sample::select(vec!["http://", "https://", "HTTPS://h", "http://h/"]);
        (scheme, pieces).prop_map(|(scheme, pieces)| format!("{scheme}{}", pieces.concat()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

        /// What is accepted is what the `url` crate makes of it, and stays as it is.
        #[test]
        fn normalized_as_by_the_usual_crate(text in nearly()) {
            if let Ok(normal) = Absolute::parse(&text) {
                let other = url::Url::parse(&text);
                // That crate looks into Punycode.
                prop_assume!(other.is_ok() || !text.to_ascii_lowercase().contains("xn--"));
                let other = other.unwrap();
                prop_assert_eq!(normal.as_str(), other.as_str(), "{}", text);
                prop_assert_eq!(normal.path(), other.path());
                prop_assert_eq!(Some(normal.host()), other.host_str());
                prop_assert_eq!(Absolute::parse(normal.as_str()), Ok(normal));
            }
        }

        /// And what that crate accepts is refused only for a reason.
        #[test]
        fn refused_for_a_reason(text in nearly()) {
            if let (Err(_), Ok(other)) = (Absolute::parse(&text), url::Url::parse(&text)) {
                let authority = text.split("//").nth(1).unwrap_or_default();
                let strange = text.contains(['\\', '\t', '\r', '\n'])
                    || authority.contains(['%'])
                    || !authority.is_ascii()
                    || other.port() == Some(0)
                    || other.host_str().is_none_or(|host| !is_host(host))
                    || matches!(other.host(), Some(url::Host::Ipv4(_)))
                    || text.starts_with("http:///") || text.starts_with("https:///");
                prop_assert!(strange, "{} {}", text, other);
            }
        }
    }
}

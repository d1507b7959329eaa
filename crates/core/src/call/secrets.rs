//! The secrets of a call, and their removal from what a server says.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::HeaderMap;
use zeroize::Zeroizing;

use crate::Secret;

/// The secrets of a call. Up to two are held without an allocation.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    few: [Option<Secret>; 2],
    more: Vec<Secret>,
}

impl Secrets {
    pub(crate) fn add(&mut self, secret: &Secret) {
        match self.few.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(secret.clone()),
            None => self.more.push(secret.clone()),
        }
    }

    /// Adds the value of a header, without the scheme of a credential. For basic credentials the
    /// password is added too.
    pub(crate) fn add_header(&mut self, value: &Secret) {
        let Some((_, credential)) = value.expose().split_once(' ') else {
            return self.add(value);
        };
        self.add(&Secret::from(credential));
        if let Some(pair) = basic(value.expose())
            && let Ok(pair) = std::str::from_utf8(&pair)
            && let Some((_, password)) = pair.split_once(':')
        {
            self.add(&Secret::from(password));
        }
    }

    pub(crate) fn extend(&mut self, others: &Self) {
        others.iter().for_each(|secret| self.add(secret));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.few[0].is_none()
    }

    fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.few.iter().flatten().chain(&self.more)
    }
}

/// Returns the user and password of basic credentials.
fn basic(header: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (scheme, pair) = header.split_once(' ')?;
    let pair = pair.trim().trim_end_matches('=');
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    let pair = is_basic.then(|| STANDARD_NO_PAD.decode(pair).ok())?;
    pair.map(Zeroizing::new)
}

/// The text that replaces a secret.
const MASK: &str = "[secret]";

/// Removes secrets from texts. Created only when a server refused a request or its answer could not
/// be understood; a successful call never needs one.
///
/// A secret is found as plain text, in JSON, XML and percent-encoding, in base64, and if it is
/// truncated to half of its length or more.
#[derive(Default)]
pub(crate) struct Filter {
    needles: Vec<Zeroizing<Vec<u8>>>,
}

impl Filter {
    pub(crate) fn of(secrets: &Secrets) -> Self {
        let mut filter = Self::default();
        for secret in secrets.iter() {
            filter.secret(secret.expose());
        }
        filter
    }

    /// Adds a secret, and its base64 encodings.
    pub(crate) fn secret(&mut self, text: &str) {
        self.add(text.as_bytes());
        // The padded encodings begin with the same characters.
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            self.add(Zeroizing::new(engine.encode(text)).as_bytes());
        }
    }

    /// Adds the values of sensitive headers. If a value has several parts, such as a scheme and a
    /// credential or a cookie, each part is added, as is the password of basic credentials.
    pub(crate) fn headers(&mut self, headers: &HeaderMap) {
        let sensitive = headers.values().filter(|value| value.is_sensitive());
        for value in sensitive {
            let Ok(text) = std::str::from_utf8(value.as_bytes()) else {
                self.add(value.as_bytes());
                continue;
            };
            for part in text.split([' ', ';', ',']) {
                self.part(part);
            }
            if let Some(pair) = basic(text) {
                let colon = pair.iter().position(|byte| *byte == b':');
                self.add(&pair[colon.map_or(0, |at| at + 1)..]);
                self.add(&pair);
            }
        }
    }

    /// Adds a part, which may have the form `name=value`. The scheme of a credential is not secret.
    fn part(&mut self, part: &str) {
        let value = match part.split_once('=') {
            Some((_, value)) if !value.trim_matches('=').is_empty() => value,
            _ => part,
        };
        let is_scheme = ["basic", "bearer"]
            .iter()
            .any(|name| value.eq_ignore_ascii_case(name));
        if !is_scheme {
            self.secret(value.trim_matches('"'));
        }
        if value.len() < part.len() {
            self.add(part.as_bytes());
        }
    }

    /// Adds all values of a body whose secrets are not known one by one.
    pub(crate) fn body(&mut self, body: &[u8]) {
        match serde_json::from_slice(body) {
            Ok(json) => self.json(&json),
            Err(_) => {
                let fields = body.split(|byte| *byte == b'&');
                for field in fields {
                    let value = field.splitn(2, |byte| *byte == b'=').last();
                    self.add(&decoded(value.unwrap_or_default()));
                }
            }
        }
    }

    fn json(&mut self, value: &serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) => self.secret(text),
            Value::Array(items) => items.iter().for_each(|item| self.json(item)),
            Value::Object(members) => members.values().for_each(|member| self.json(member)),
            _ => {}
        }
    }

    fn add(&mut self, needle: &[u8]) {
        let is_known = self.needles.iter().any(|known| known[..] == *needle);
        if needle.len() >= SHORTEST && !is_known {
            self.needles.push(Zeroizing::new(needle.to_vec()));
        }
    }

    /// Returns a text without the secrets in it.
    pub(crate) fn text(&self, text: &str) -> String {
        let clean = self.bytes(text.as_bytes());
        // Only whole characters were removed, so this changes nothing.
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Returns the beginning of a body, at most `most` bytes, without the secrets in it.
    pub(crate) fn body_of(&self, body: &Bytes, most: usize) -> Bytes {
        // A secret that begins before the cut may extend beyond it.
        let longest = self.needles.iter().map(|needle| needle.len()).max();
        let reach = longest.unwrap_or_default() * MOST_ENCODED;
        let head = &body[..body.len().min(most + reach)];
        let mut clean = self.bytes(head);
        clean.truncate(most);
        Bytes::from(clean)
    }

    fn bytes(&self, text: &[u8]) -> Vec<u8> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for scheme in SCHEMES {
            let is_marked = text.iter().any(|byte| scheme.marks.contains(byte));
            if !scheme.marks.is_empty() && !is_marked {
                continue;
            }
            for needle in &self.needles {
                find(text, needle, scheme, &mut found);
            }
        }
        found.sort_unstable();
        let mut clean = Vec::with_capacity(text.len());
        let mut at = 0;
        for (from, to) in found {
            if to <= at {
                continue;
            }
            if from >= at {
                clean.extend_from_slice(&text[at..from]);
                clean.extend_from_slice(MASK.as_bytes());
            }
            at = to;
        }
        clean.extend_from_slice(&text[at..]);
        clean
    }
}

/// Shorter secrets occur in every word, and are easily guessed.
const SHORTEST: usize = 3;

/// A secret of at least this length is found anywhere; a shorter one only as a whole word.
const LONG: usize = 8;

/// The most bytes that one byte of a secret can take: `&#x0041;` with a margin.
const MOST_ENCODED: usize = 10;

/// Collects where a secret occurs, whole or truncated after its first half.
fn find(text: &[u8], needle: &[u8], scheme: &Scheme, found: &mut Vec<(usize, usize)>) {
    let is_short = needle.len() < LONG;
    let least = match is_short {
        true => needle.len(),
        false => needle.len().div_ceil(2).max(LONG),
    };
    let mut at = 0;
    while at < text.len() {
        let (mut end, mut matched) = (at, 0);
        while matched < needle.len() {
            let Some((unit, next)) = (scheme.unit)(text, end) else {
                break;
            };
            if !needle[matched..].starts_with(unit.bytes()) {
                break;
            }
            matched += unit.bytes().len();
            end = next;
        }
        let is_word = || !is_in_word(text, at, end);
        if matched >= least && (!is_short || is_word()) {
            found.push((at, end));
            at = end;
        } else {
            at += 1;
        }
    }
}

/// Returns whether a range is next to letters or digits.
fn is_in_word(text: &[u8], from: usize, to: usize) -> bool {
    let before = from.checked_sub(1).and_then(|at| text.get(at));
    [before, text.get(to)]
        .into_iter()
        .flatten()
        .any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

/// The unit at a position of a text, and the position of the next.
type Read = Option<(Unit, usize)>;

/// A way to encode the characters of a text.
struct Scheme {
    /// Bytes that occur in any text encoded like this; empty for plain text.
    marks: &'static [u8],
    /// Reads the unit at a position.
    unit: fn(&[u8], usize) -> Read,
}

const SCHEMES: &[Scheme] = &[
    Scheme {
        marks: b"",
        unit: as_it_is,
    },
    Scheme {
        marks: b"%+",
        unit: percent,
    },
    Scheme {
        marks: b"\\",
        unit: escaped,
    },
    Scheme {
        marks: b"&",
        unit: entity,
    },
];

/// One byte, or one character.
struct Unit([u8; 4], usize);

impl Unit {
    fn byte(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }

    fn char(char: char) -> Self {
        let mut bytes = [0; 4];
        let length = char.encode_utf8(&mut bytes).len();
        Self(bytes, length)
    }

    fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

fn as_it_is(text: &[u8], at: usize) -> Read {
    text.get(at).map(|byte| (Unit::byte(*byte), at + 1))
}

/// Percent-encoding, including that of forms.
fn percent(text: &[u8], at: usize) -> Read {
    match text.get(at)? {
        b'%' => match hex(text, at + 1, 2) {
            Some(code) => Some((Unit::byte(u8::try_from(code).ok()?), at + 3)),
            None => as_it_is(text, at),
        },
        b'+' => Some((Unit::byte(b' '), at + 1)),
        byte => Some((Unit::byte(*byte), at + 1)),
    }
}

/// The escapes of JSON, Python and similar languages.
fn escaped(text: &[u8], at: usize) -> Read {
    if text.get(at)? != &b'\\' {
        return as_it_is(text, at);
    }
    let letter = *text.get(at + 1)?;
    let unit = match letter {
        b'u' => {
            let Some(high) = hex(text, at + 2, 4) else {
                return as_it_is(text, at);
            };
            if let Some(char) = char::from_u32(high) {
                return Some((Unit::char(char), at + 6));
            }
            // A surrogate pair.
            let low = match text.get(at + 6..at + 8) {
                Some(b"\\u") => hex(text, at + 8, 4),
                _ => None,
            };
            let units = [high, low?].map(|half| u16::try_from(half).unwrap_or_default());
            let char = char::decode_utf16(units).next()?.ok()?;
            return Some((Unit::char(char), at + 12));
        }
        b'x' => match hex(text, at + 2, 2) {
            Some(code) => return Some((Unit::byte(u8::try_from(code).ok()?), at + 4)),
            None => b'x',
        },
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        other => other,
    };
    Some((Unit::byte(unit), at + 2))
}

/// Entities of XML and HTML.
fn entity(text: &[u8], at: usize) -> Read {
    if text.get(at)? != &b'&' {
        return as_it_is(text, at);
    }
    let rest = &text[at + 1..];
    let end = rest
        .iter()
        .take(MOST_ENCODED)
        .position(|byte| *byte == b';');
    let Some(end) = end else {
        return as_it_is(text, at);
    };
    let name = std::str::from_utf8(&rest[..end]).ok()?;
    let char = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let code = name.strip_prefix('#');
            let number = code.and_then(|code| match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => code.parse().ok(),
            });
            number.and_then(char::from_u32)
        }
    };
    match char {
        Some(char) => Some((Unit::char(char), at + end + 2)),
        None => as_it_is(text, at),
    }
}

fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = std::str::from_utf8(text.get(at..at + digits)?).ok()?;
    match digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => u32::from_str_radix(digits, 16).ok(),
        false => None,
    }
}

/// Decodes a value of a form.
pub(super) fn decoded(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut at = 0;
    while let Some((unit, next)) = percent(value, at) {
        text.extend_from_slice(unit.bytes());
        at = next;
    }
    text
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::{AUTHORIZATION, COOKIE};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    fn filter(secret: &str) -> Filter {
        let mut filter = Filter::default();
        filter.secret(secret);
        filter
    }

    #[test]
    fn a_secret_is_found_however_a_server_writes_it() {
        let secret = r#"plan+ted/"ö\<&'0123"#;
        let filter = filter(secret);
        for quoted in [
            secret.to_owned(),
            serde_json::to_string(secret).unwrap(),
            serde_json::to_string(secret)
                .unwrap()
                .replace('ö', "\\u00f6"),
            serde_json::to_string(secret).unwrap().replace('/', "\\/"),
            utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
            utf8_percent_encode(secret, NON_ALPHANUMERIC)
                .to_string()
                .to_lowercase(),
            secret
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('"', "&quot;"),
            secret
                .replace('&', "&#38;")
                .replace('<', "&#x3C;")
                .replace('\'', "&#039;"),
            base64::engine::general_purpose::STANDARD.encode(secret),
            base64::engine::general_purpose::URL_SAFE.encode(secret),
            secret[..12].to_owned(),
        ] {
            let text = format!("no such token: {quoted} (sorry)");
            let clean = filter.text(&text);
            assert!(clean.starts_with("no such token: "), "{clean}");
            assert!(clean.ends_with(" (sorry)"), "{clean}");
            assert!(
                clean.contains(MASK) && !clean.contains("plan"),
                "{text}: {clean}"
            );
            assert!(!clean.contains("0123"), "{text}: {clean}");
        }
        assert_eq!(filter.text("plant trees"), "plant trees");
    }

    #[test]
    fn a_short_secret_is_found_as_a_word_only() {
        let filter = filter("user");
        assert_eq!(
            filter.text("users: no user \"user\""),
            "users: no [secret] \"[secret]\""
        );
        assert_eq!(self::filter("a").text("a b"), "a b");
    }

    #[test]
    fn headers_are_secret_part_by_part() {
        let mut headers = HeaderMap::new();
        let mut put = |name, value: &'static str| {
            let mut value = HeaderValue::from_static(value);
            value.set_sensitive(true);
            headers.insert(name, value);
        };
        // user:planted-password
        put(AUTHORIZATION, "Basic dXNlcjpwbGFudGVkLXBhc3N3b3Jk");
        put(COOKIE, "session=planted-cookie; theme=\"planted-theme\"");
        headers.insert("accept", HeaderValue::from_static("application/json"));
        let mut filter = Filter::default();
        filter.headers(&headers);
        for text in [
            "planted-password",
            "user:planted-password",
            "dXNlcjpwbGFudGVkLXBhc3N3b3Jk",
            "session=planted-cookie",
            "planted-cookie",
            "planted-theme",
        ] {
            let clean = filter.text(&format!("Basic {text} of a user"));
            assert!(
                !clean.contains("planted") && !clean.contains("dXNl"),
                "{clean}"
            );
            assert!(
                clean.starts_with("Basic ") && clean.ends_with(" of a user"),
                "{clean}"
            );
        }
        assert_eq!(filter.text("application/json"), "application/json");
    }

    #[test]
    fn a_body_is_filtered_before_it_is_cut() {
        let filter = filter("planted-secret");
        let body = Bytes::from(format!("{}planted-secret and more", "x".repeat(60)));
        for most in 60..80 {
            let clean = filter.body_of(&body, most);
            assert!(clean.len() <= most);
            assert!(
                !String::from_utf8_lossy(&clean).contains("plan"),
                "{clean:?}"
            );
        }
    }

    #[test]
    fn values_of_an_unknown_body_are_all_secret() {
        for body in [
            "user=alice-alice&code=planted%2Done",
            r#"{"a": ["planted-one", {"b": "x"}], "n": 1}"#,
        ] {
            let mut filter = Filter::default();
            filter.body(body.as_bytes());
            assert_eq!(filter.text("got planted-one"), "got [secret]");
        }
    }

    proptest! {
        #[test]
        fn what_is_filtered_never_holds_the_secret(
            secret in "[ -~]{8,40}",
            text in "\\PC{0,40}",
            at in 0usize..40,
        ) {
            let at = text.char_indices().map(|(at, _)| at).nth(at).unwrap_or(text.len());
            let text = format!("{}{secret}{}", &text[..at], &text[at..]);
            let clean = filter(&secret).text(&text);
            prop_assert!(!clean.contains(&secret) || MASK.contains(&secret));
        }

        #[test]
        fn a_text_without_the_secret_stays_as_it_is(text in "[a-z %&;+\\\\]{0,80}") {
            prop_assert_eq!(filter("PLANTED-SECRET").text(&text), text);
        }
    }
}

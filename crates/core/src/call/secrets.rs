//! The secrets of a call, and their removal from answers. `quoted` finds them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::HeaderValue;
use zeroize::Zeroizing;

use super::quoted::{self, MOST_ENCODED, SHORTEST};
use crate::Secret;
use crate::secret::Secrets;

impl Secrets {
    /// Adds the [secret parts](parts) of the value of a header. For basic credentials the password
    /// is added too.
    pub(crate) fn add_header(&mut self, value: &Secret) {
        for part in parts(value.expose()) {
            self.add(&Secret::from(part));
        }
        if let Some(pair) = basic(value.expose())
            && let Ok(pair) = std::str::from_utf8(&pair)
            && let Some((_, password)) = pair.split_once(':')
        {
            self.add(&Secret::from(password));
        }
    }

    /// Adds the values of a body whose secrets are not known one by one: all of them.
    pub(crate) fn add_values(&mut self, body: &[u8]) {
        if let Ok(json) = serde_json::from_slice(body) {
            return self.add_texts(&json);
        }
        for field in body.split(|byte| *byte == b'&') {
            let value = field.splitn(2, |byte| *byte == b'=').last();
            if let Ok(value) = std::str::from_utf8(&decoded(value.unwrap_or_default())) {
                self.add(&Secret::from(value));
            }
        }
    }

    fn add_texts(&mut self, value: &serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) => self.add(&Secret::from(text.as_str())),
            Value::Array(items) => items.iter().for_each(|item| self.add_texts(item)),
            Value::Object(members) => members.values().for_each(|member| self.add_texts(member)),
            _ => {}
        }
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

/// Returns the secret parts of the value of a header: each part of a credential or a cookie, with
/// and without its name. The scheme of a credential is not secret.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let is_scheme = |part: &str| {
        let mut names = ["basic", "bearer"].iter();
        names.any(|name| part.eq_ignore_ascii_case(name))
    };
    value.split([' ', ';', ',']).flat_map(move |part| {
        let (value, whole) = match part.split_once('=') {
            Some((_, value)) if !value.trim_matches('=').is_empty() => (value, Some(part)),
            _ => (part, None),
        };
        let value = Some(value).filter(|value| !value.is_empty() && !is_scheme(value));
        value
            .map(|value| value.trim_matches('"'))
            .into_iter()
            .chain(whole)
    })
}

/// The text that replaces a secret.
const MASK: &str = "[secret]";

/// Removes secrets from texts. Created only when a server refused a request or its answer could not
/// be understood; a successful call never needs one.
///
/// A secret is found as plain text, in hexadecimal, in the base64 of it or of a longer text, in
/// JSON, XML and percent-encoding (also nested), split over lines, and if only half of it or more
/// is there. The part after its last `.` or `:` is also a secret by itself: in a token or ticket it
/// is the proof.
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

    /// Adds a secret and its encoded forms.
    pub(crate) fn secret(&mut self, text: &str) {
        self.encodings(text.as_bytes());
        let proof = text.rsplit(['.', ':']).next().unwrap_or(text);
        let is_code = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/=".contains(&byte);
        if proof.len() >= SHORTEST_PROOF && proof.bytes().all(is_code) {
            self.encodings(proof.as_bytes());
        }
    }

    fn encodings(&mut self, text: &[u8]) {
        self.add(text);
        let digits = |digit: fn(u8) -> String| {
            Zeroizing::new(text.iter().map(|byte| digit(*byte)).collect::<String>())
        };
        self.add(digits(|byte| format!("{byte:02x}")).as_bytes());
        self.add(digits(|byte| format!("{byte:02X}")).as_bytes());
        // Three bytes make four characters, so the preceding bytes matter.
        for before in 0..3 {
            let shifted = Zeroizing::new([&b"\0\0"[..before], text].concat());
            for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
                let encoded = Zeroizing::new(engine.encode(&*shifted));
                // The first of these characters contain bits of the preceding bytes.
                let own = [0, 2, 3][before];
                self.add(encoded.as_bytes().get(own..).unwrap_or_default());
            }
        }
    }

    /// Adds the values of sensitive headers. If a value has several parts, such as a scheme and a
    /// credential or a cookie, each part is added, as is the password of basic credentials.
    pub(crate) fn headers<'a>(&mut self, values: impl Iterator<Item = &'a HeaderValue>) {
        for value in values.filter(|value| value.is_sensitive()) {
            let Ok(text) = std::str::from_utf8(value.as_bytes()) else {
                self.add(value.as_bytes());
                continue;
            };
            parts(text).for_each(|part| self.secret(part));
            if let Some(pair) = basic(text) {
                let colon = pair.iter().position(|byte| *byte == b':');
                self.add(&pair[colon.map_or(0, |at| at + 1)..]);
                self.add(&pair);
            }
        }
    }

    fn add(&mut self, needle: &[u8]) {
        let is_known = self.needles.iter().any(|known| known[..] == *needle);
        if needle.len() >= SHORTEST && !is_known {
            self.needles.push(Zeroizing::new(needle.to_vec()));
        }
    }

    /// Returns a text without the secrets in it, at most [`LONGEST`] bytes.
    pub(crate) fn text(&self, text: &str) -> String {
        let clean = self.head(text.as_bytes(), LONGEST);
        // Whole characters were removed, so this affects only a truncated end.
        String::from_utf8_lossy(&clean).into_owned()
    }

    /// Returns the beginning of a body, at most `most` bytes, without the secrets in it.
    pub(crate) fn body_of(&self, body: &Bytes, most: usize) -> Bytes {
        Bytes::from(self.head(body, most))
    }

    fn head(&self, text: &[u8], most: usize) -> Vec<u8> {
        // A secret that begins before the end may extend beyond it.
        let longest = self.needles.iter().map(|needle| needle.len()).max();
        let reach = longest.unwrap_or_default() * MOST_ENCODED;
        let mut clean = self.bytes(&text[..text.len().min(most + reach)]);
        clean.truncate(most);
        clean
    }

    fn bytes(&self, text: &[u8]) -> Vec<u8> {
        let mut found = quoted::find(text, &self.needles);
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

/// Removes the secrets of a request from what a server answered, as every call does: for clients of
/// others, such as an SDK, whose errors repeat it.
#[must_use]
pub fn without_secrets(answer: &[u8], secrets: &[Secret]) -> Vec<u8> {
    let mut filter = Filter::default();
    for secret in secrets {
        filter.secret(secret.expose());
    }
    filter.bytes(answer)
}

/// The maximum length of a message. A longer one helps no reader, and takes memory to search.
const LONGEST: usize = 64 << 10;

/// A shorter part is more likely a name than a proof.
const SHORTEST_PROOF: usize = 16;

/// Decodes a value of a form.
pub(super) fn decoded(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut at = 0;
    while let Some((unit, next)) = quoted::percent(value, at) {
        text.extend_from_slice(unit.bytes());
        at = next;
    }
    text
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{AUTHORIZATION, COOKIE};
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    fn filter(secret: &str) -> Filter {
        let mut filter = Filter::default();
        filter.secret(secret);
        filter
    }

    fn percent(text: &str) -> String {
        utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
    }

    fn hex(text: &str) -> String {
        crate::text::hex(text.as_bytes())
    }

    #[test]
    fn a_secret_is_found_in_the_base64_of_a_longer_text() {
        use base64::engine::general_purpose::{STANDARD, URL_SAFE};
        let secret = "gt-planted.token~?>0123";
        let filter = filter(secret);
        for before in 0..7 {
            for after in 0..4 {
                let text = format!("{}{secret}{}", &"Bearer "[..before], &"\n!!!"[..after]);
                for encoded in [STANDARD.encode(&text), URL_SAFE.encode(&text)] {
                    let clean = filter.text(&encoded).replace(MASK, "");
                    assert!(clean.len() < 18, "{text:?}: {clean}");
                }
            }
        }
    }

    #[test]
    fn the_part_of_a_secret_that_proves_something_is_secret_by_itself() {
        for (secret, proof) in [
            (
                "gt-0123456789abcdefghijkl.plantedplantedplanted0",
                "plantedplantedplanted0",
            ),
            (
                "3:serv:CBAQ__________9_Ig4I3oqLBRIEMTIzNBDSCQ:planted_planted-planted",
                "planted_planted-planted",
            ),
        ] {
            let filter = filter(secret);
            for quoted in [proof.to_owned(), hex(proof), percent(proof)] {
                let clean = filter.text(&format!("bad signature {quoted}."));
                assert_eq!(clean, format!("bad signature {MASK}."), "{quoted}");
            }
        }
        let filter = filter("gt-0123456789abcdefghijkl.planted");
        assert_eq!(filter.text("a plant is planted"), "a plant is planted");
    }

    #[test]
    fn a_message_is_cut_so_that_a_server_cannot_make_the_search_long() {
        let mut random = fastrand::Rng::with_seed(1);
        let secret: String = (0..2000).map(|_| random.alphanumeric()).collect();
        let long = "%25".repeat(20_000) + &"a\\u0061".repeat(20_000) + &"&amp;".repeat(20_000);
        for (text, kept) in [(&secret, MASK.len()), (&long, LONGEST)] {
            let clean = filter(&secret).text(text);
            assert_eq!(clean.len(), kept);
        }
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
            secret[secret.len() - 12..].to_owned(),
            secret.chars().skip(3).take(13).collect(),
            hex(secret),
            hex(secret).to_uppercase(),
            percent(&percent(secret)),
            percent(&percent(&percent(secret))),
            percent(&serde_json::to_string(secret).unwrap()),
            serde_json::to_string(&serde_json::to_string(secret).unwrap()).unwrap(),
            secret.replace('&', "&amp;amp;").replace('<', "&amp;lt;"),
            secret
                .encode_utf16()
                .map(|unit| format!("\\u{unit:04X}"))
                .collect(),
            secret.replace('+', "+\r\n\t"),
            secret.replace('+', "+\\n"),
            percent(&base64::engine::general_purpose::STANDARD.encode(secret)),
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
        filter.headers(headers.values());
        let mut secrets = Secrets::default();
        for value in headers.values().filter(|value| value.is_sensitive()) {
            secrets.add_header(&Secret::from(value.to_str().unwrap()));
        }
        let filters = [filter, Filter::of(&secrets)];
        for (filter, text) in filters.iter().flat_map(|filter| {
            [
                "planted-password",
                "user:planted-password",
                "dXNlcjpwbGFudGVkLXBhc3N3b3Jk",
                "session=planted-cookie",
                "planted-cookie",
                "planted-theme",
            ]
            .map(|text| (filter, text))
        }) {
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
        for filter in filters {
            assert_eq!(filter.text("application/json"), "application/json");
        }
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
            let mut secrets = Secrets::default();
            secrets.add_values(body.as_bytes());
            let filter = Filter::of(&secrets);
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

//! Texts that core reads: URLs, times, headers, packed bytes.

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use vouchsafe::core::auth::BearerChallenge;
use vouchsafe::core::cache::Fetched;
use vouchsafe::core::store::Address;
use vouchsafe::core::url::{Absolute, BaseUrl, Target};
use vouchsafe::core::{timestamp, unpack};

/// What is planted where a password may be.
const PASSWORD: &str = "pl4nted-p4ssw0rd";

/// Bytes as URLs: read as the `url` crate does, stable, and never shown with a password.
pub fn urls(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if text.contains(PASSWORD) {
        return;
    }
    let plain = text.to_string();
    for text in [Some(plain), with_password(&text)].into_iter().flatten() {
        let text = &*text;
        if let Ok(url) = Absolute::parse(text) {
            assert_eq!(Absolute::parse(url.as_str()).as_ref(), Ok(&url), "{text:?}");
            assert!(url.path().starts_with('/'));
            assert!(!format!("{url:?}").contains(PASSWORD), "{text:?}");
            match url::Url::parse(text) {
                Ok(other) => {
                    assert_eq!(url.as_str(), other.as_str(), "{text:?}");
                    assert_eq!(Some(url.host()), other.host_str(), "{text:?}");
                    assert_eq!(url.path(), other.path(), "{text:?}");
                }
                // That crate looks into Punycode.
                Err(_) => assert!(url.as_str().contains("xn--"), "{text:?}"),
            }
        }
        match BaseUrl::parse(text) {
            Ok(base) => {
                assert!(!text.contains(PASSWORD), "a credential was taken: {text:?}");
                let again = BaseUrl::parse(&base.to_string());
                assert_eq!(again.ok().as_ref(), Some(&base), "{text:?}");
            }
            Err(error) => assert!(!format!("{error} {error:?}").contains(PASSWORD)),
        }
    }
    segment(&text);
}

/// Puts a user and a password where a URL has them, if the text begins as one. A path may contain any text.
fn with_password(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_scheme = scheme.chars().all(is_inner) && !scheme.eq_ignore_ascii_case("unix");
    is_scheme.then(|| format!("{scheme}://u:{PASSWORD}@{rest}"))
}

/// A value stays one segment of a path, and one value of a query, whatever it contains.
fn segment(value: &str) {
    let base: BaseUrl = "https://e.org/api".parse().expect("it is a URL");
    let query = Target::new("/u").query("q", value);
    let uri = base.join(&query).expect("it is short");
    let pairs: Vec<_> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect();
    assert_eq!(pairs, [("q".to_owned(), value.to_owned())]);
    let Ok(target) = Target::new("/users/").segment("name", value) else {
        return;
    };
    let uri = base.join(&target.literal("/x")).expect("it is short");
    let parts: Vec<_> = uri.path().split('/').collect();
    let ["", "api", "users", part, "x"] = parts.as_slice() else {
        panic!("{value:?} became {uri}");
    };
    let decoded = percent_encoding::percent_decode_str(part).decode_utf8();
    assert_eq!(decoded.as_deref(), Ok(value));
    // A URL library on the way leaves it where it is.
    let other = url::Url::parse(&uri.to_string()).expect("it is a URL");
    assert_eq!(other.path(), uri.path(), "{value:?}");
}

/// Bytes as addresses of servers that do not speak HTTP.
pub fn addresses(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parse = |text: &str| Address::parse(text, ["nats", "tls"], 4222);
    for text in [&*text, &format!("nats://{text}")] {
        if let Ok(address) = parse(text) {
            let scheme = if address.is_tls() { "tls" } else { "nats" };
            let again = parse(&format!("{scheme}://{}", address.place()));
            assert_eq!(again.ok().as_ref(), Some(&address), "{text:?}");
            let (host, port) = address.place().rsplit_once(':').expect("it has a port");
            assert!(!host.is_empty() && port.parse::<u16>().is_ok(), "{text:?}");
            assert!(!address.place().contains('@'));
        }
    }
    let error = parse(&format!("nats://u:{PASSWORD}@{text}"));
    let error = error.expect_err("a URL with a password");
    assert!(!format!("{error} {error:?}").contains(PASSWORD));
}

/// Bytes as times: what is written is read as the same.
pub fn timestamps(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(at) = timestamp::parse(&text) {
        let written = timestamp::format(at);
        let again = timestamp::parse(&written);
        let micros = |at| timestamp::unix_micros(at);
        assert_eq!(again.map(micros), Some(micros(at)), "{text:?} {written}");
        // In UTC and to the second, there is one way to write it.
        let plain = text.replace(['t', ' '], "T").replace('z', "Z");
        if plain.len() == 20 && plain.ends_with('Z') && !plain.ends_with(":60Z") {
            assert_eq!(written, plain);
        }
    }
    let mut seconds = [0; 8];
    let taken = data.len().min(8);
    seconds[..taken].copy_from_slice(&data[..taken]);
    let seconds = i64::from_le_bytes(seconds);
    if let Some(at) = timestamp::from_unix_seconds(seconds) {
        assert_eq!(timestamp::unix_seconds(at), seconds);
        let written = timestamp::format(at);
        // The years that RFC 3339 can write.
        let is_usual = (-62_135_596_800..253_402_300_800).contains(&seconds);
        assert_eq!(timestamp::parse(&written), Some(at).filter(|_| is_usual));
    }
}

/// Bytes as challenges, one header a line.
pub fn challenges(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(WWW_AUTHENTICATE, value);
        }
    }
    let Some(found) = BearerChallenge::of(&headers) else {
        return;
    };
    // Written in the plain way, it is read as the same.
    let quoted = |text: &String| text.replace('\\', "\\\\").replace('"', "\\\"");
    let parameters = [
        ("error", &found.error),
        ("error_description", &found.error_description),
        ("realm", &found.realm),
        ("scope", &found.scope),
    ];
    let parameters: Vec<String> = parameters
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}=\"{}\"", quoted(value.as_ref()?))))
        .collect();
    let text = format!("Bearer {}", parameters.join(", "));
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(text.trim_end()).expect("it came from a header");
    headers.insert(WWW_AUTHENTICATE, value);
    assert_eq!(BearerChallenge::of(&headers), Some(found), "{text}");
}

/// Bytes as the headers that say how long an answer may be kept, one a line, each with the first letter of
/// its name in front: as long as a second reading says, which goes byte by byte.
pub fn lifetimes(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((name, value)) = line.split_first() else {
            continue;
        };
        let name = match name {
            b'a' => AGE,
            b'c' => CACHE_CONTROL,
            b'd' => DATE,
            b'e' => EXPIRES,
            _ => HeaderName::from_static("x-other"),
        };
        // A connection removes the white space around a value.
        if let Ok(value) = HeaderValue::from_bytes(value.trim_ascii()) {
            headers.append(name, value);
        }
    }
    let shown = |fetched: Fetched<()>| format!("{fetched:?}");
    let usual = Fetched::new(()).ttl(Duration::from_secs(7));
    let read = shown(usual.clone().lifetime_of(&headers));
    let expected = match lifetime(&headers) {
        Some(seconds) => usual.ttl(Duration::from_secs(seconds.min(24 * 60 * 60))),
        None => usual,
    };
    assert_eq!(read, shown(expected), "{headers:?}");
}

/// Reads a lifetime in seconds, by RFC 9111, section 4.2.
fn lifetime(headers: &HeaderMap) -> Option<u64> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for line in headers.get_all(CACHE_CONTROL) {
        let parts_of_line = line.as_bytes().split(|byte| *byte == b',');
        parts.extend(parts_of_line.map(<[u8]>::trim_ascii));
    }
    let is = |part: &[u8], name: &str| part.eq_ignore_ascii_case(name.as_bytes());
    let number = |digits: &[u8]| {
        let sum = digits.iter().try_fold(0_u64, |sum, digit| {
            let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
            Some(sum.saturating_mul(10).saturating_add(digit))
        });
        sum.filter(|_| !digits.is_empty())
    };
    if parts
        .iter()
        .any(|part| is(part, "no-store") || is(part, "no-cache"))
    {
        return Some(0);
    }
    let of_name = parts.iter().find_map(|part| {
        let (name, value) = part.split_at_checked(8)?;
        is(name, "max-age=").then_some(value)
    });
    let whole = match of_name {
        Some(mut value) => {
            while let [b'"', rest @ ..] | [rest @ .., b'"'] = value {
                value = rest;
            }
            number(value).unwrap_or(0)
        }
        None => {
            let at = |name: HeaderName| {
                let text = headers.get(name)?.to_str().ok()?;
                httpdate::parse_http_date(text).ok()
            };
            headers.get(EXPIRES)?;
            match (at(EXPIRES), at(DATE)) {
                (Some(until), Some(now)) => {
                    until.duration_since(now).map_or(0, |left| left.as_secs())
                }
                _ => 0,
            }
        }
    };
    let age = headers.get(AGE).and_then(|age| {
        let first = age.as_bytes().split(|byte| *byte == b',').next()?;
        number(first.trim_ascii())
    });
    Some(whole.saturating_sub(age.unwrap_or(0)))
}

/// Bytes as packed bytes: never more than the limit.
pub fn unpack(data: &[u8]) {
    for limit in [0, 1, 1 << 16] {
        let all = [unpack::gzip(data, limit), unpack::zstd(data, limit)];
        assert!(all.iter().flatten().all(|plain| plain.len() <= limit));
    }
    let larger = unpack::gzip(data, 1 << 16).ok();
    if let Some(plain) = larger {
        let exact = unpack::gzip(data, plain.len()).ok();
        assert_eq!(exact.as_ref(), Some(&plain));
        if let Some(less) = plain.len().checked_sub(1) {
            assert!(unpack::gzip(data, less).is_err());
        }
    }
}

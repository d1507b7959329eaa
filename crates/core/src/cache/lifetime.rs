//! How long an answer may be kept (RFC 9111, section 4.2).

use std::borrow::Cow;
use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderName, HeaderValue};

/// What may be around the values of a list (RFC 9110, section 5.6.3). Other white space of Unicode is part
/// of a value.
const WHITE_SPACE: [char; 2] = [' ', '\t'];

/// Returns how long an answer with these headers may be kept, if they say so.
///
/// What cannot be read says that the answer is stale, as RFC 9111 recommends (section 4.2.1), except for
/// an age, which counts as absent (section 5.1).
pub(super) fn of(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).map(text);
    let lines: Vec<_> = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .map(self::text)
        .collect();
    let directives = || {
        let directives = lines.iter().flat_map(|line| line.split(','));
        directives.map(|directive| directive.trim_matches(WHITE_SPACE))
    };
    let has = |name: &str| directives().any(|directive| directive.eq_ignore_ascii_case(name));
    if has("no-store") || has("no-cache") {
        return Some(Duration::ZERO);
    }
    let mut max_age = directives().filter_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then_some(value)
    });
    let lifetime = match max_age.next() {
        Some(value) => seconds(value.trim_matches('"')).unwrap_or_default(),
        None => {
            let date = |text: &str| httpdate::parse_http_date(text).ok();
            let expires = text(EXPIRES)?;
            let until = date(&expires).zip(text(DATE).and_then(|now| date(&now)));
            let left = until.and_then(|(until, now)| until.duration_since(now).ok());
            left.unwrap_or_default()
        }
    };
    // Several caches on the way may each have added one.
    let age = text(AGE).and_then(|ages| seconds(ages.split(',').next()?.trim_matches(WHITE_SPACE)));
    Some(lifetime.saturating_sub(age.unwrap_or_default()))
}

/// Returns a number of seconds, or the largest if there is no room for it (RFC 9111, section 1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}

/// Returns a header as text, also if it has bytes beyond ASCII, which are allowed in values.
fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        of(&map).map(|lifetime| lifetime.as_secs())
    }

    #[test]
    fn the_lifetime_is_what_the_headers_say() {
        const EARLY: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        const HUGE: &str = "18446744073709551616";
        const HUGE_AGE: &str = "max-age=18446744073709551616";
        const LATE: (&str, &str) = ("expires", "Sun, 06 Nov 1994 08:50:37 GMT");
        for (headers, seconds) in [
            (&[][..], None),
            (&[("cache-control", "public")], None),
            (&[("cache-control", "public, Max-Age=60")], Some(60)),
            (&[("cache-control", "max-age=60"), ("age", "45")], Some(15)),
            (&[("cache-control", "max-age=60"), ("age", "90")], Some(0)),
            (&[("cache-control", "max-age=60, no-store")], Some(0)),
            (
                &[("cache-control", "a"), ("cache-control", "no-cache")],
                Some(0),
            ),
            (&[LATE, EARLY], Some(60)),
            (&[LATE, EARLY, ("cache-control", "max-age=5")], Some(5)),
            (&[("expires", "0"), EARLY], Some(0)),
            (&[LATE], Some(0)),
            // What is older than it says is kept for less long.
            (&[LATE, EARLY, ("age", "45")], Some(15)),
            (
                &[("cache-control", "max-age=60"), ("age", "45, 5")],
                Some(15),
            ),
            (&[("cache-control", "max-age=60"), ("age", HUGE)], Some(0)),
            // An age that cannot be read does not count, a lifetime that cannot be read is over.
            (&[("cache-control", "max-age=60"), ("age", "+45")], Some(60)),
            (&[("cache-control", "max-age=60"), ("age", "")], Some(60)),
            (&[("cache-control", "max-age=6o")], Some(0)),
            (&[("cache-control", "max-age=")], Some(0)),
            (&[LATE, EARLY, ("cache-control", "max-age=-5")], Some(0)),
            (&[("cache-control", HUGE_AGE)], Some(u64::MAX)),
            (&[("cache-control", "x=\"\u{e9}\", no-store")], Some(0)),
            // Only a space and a tab are white space.
            (&[("cache-control", "a,\t no-store \t")], Some(0)),
            (&[("cache-control", "\u{85} no-store")], None),
            (&[("cache-control", "max-age=60,\u{a0}no-cache")], Some(60)),
            (
                &[("cache-control", "max-age=60"), ("age", "45\u{2003}")],
                Some(60),
            ),
        ] {
            assert_eq!(read(headers), seconds, "{headers:?}");
        }
    }
}

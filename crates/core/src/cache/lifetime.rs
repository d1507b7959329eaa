//! How long an answer may be kept (RFC 9111, section 4.2).

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderName};

/// Returns how long an answer with these headers may be kept, if they say so.
pub(super) fn of(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let lines = headers.get_all(CACHE_CONTROL).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let directives: Vec<_> = lines
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    let has = |name: &str| {
        let mut directives = directives.iter();
        directives.any(|directive| directive.eq_ignore_ascii_case(name))
    };
    if has("no-store") || has("no-cache") {
        return Some(Duration::ZERO);
    }
    let age = text(AGE).and_then(|age| age.parse().ok()).unwrap_or(0);
    let max_age = directives.iter().find_map(|directive| {
        let (name, seconds) = directive.split_once('=')?;
        let seconds = seconds.trim_matches('"').parse::<u64>().ok();
        seconds.filter(|_| name.eq_ignore_ascii_case("max-age"))
    });
    if let Some(seconds) = max_age {
        return Some(Duration::from_secs(seconds.saturating_sub(age)));
    }
    // A date that cannot be read is in the past.
    let expires = text(EXPIRES)?;
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let left = date(expires).zip(text(DATE).and_then(date));
    Some(left.map_or(Duration::ZERO, |(until, now)| {
        until.duration_since(now).unwrap_or_default()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> Option<u64> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        of(&map).map(|lifetime| lifetime.as_secs())
    }

    #[test]
    fn the_lifetime_is_what_the_headers_say() {
        const EARLY: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
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
        ] {
            assert_eq!(read(headers), seconds, "{headers:?}");
        }
    }
}

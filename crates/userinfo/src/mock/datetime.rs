//! Parses a point in time like the server's validation library: a date and time, a date, or a
//! number since 1970, also as text. Core parses standard dates; this module handles what else the
//! library accepts.

use vouchsafe_core::timestamp;

/// Why a text is not a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It does not have the form of a date.
    Form,
    /// The server does not support the year.
    Range,
    /// Only the offset from UTC moves the time out of the supported years, which crashes the
    /// server.
    Overflow,
}

/// Returns seconds since 1970; fractions are truncated, and a missing zone means UTC.
pub(super) fn parse(text: &str) -> Result<i64, Unreadable> {
    if is_number(text) {
        let number = text.parse().ok().and_then(from_number);
        return number.ok_or(Unreadable::Form);
    }
    let plain = plain(text).ok_or(Unreadable::Form)?;
    let local = plain.get(.."2000-01-01T00:00:00".len()).unwrap_or(&plain);
    // Uses the same day of a supported year that is also a leap year.
    if let Some(day) = local.strip_prefix("0000")
        && seconds(&format!("0004{day}")).is_some()
    {
        return Err(Unreadable::Range);
    }
    match seconds(&plain) {
        Some(seconds) if is_in_range(seconds) => Ok(seconds),
        found => {
            let is_valid = seconds(local).is_some_and(is_in_range);
            let zone = plain.strip_prefix(local).unwrap_or_default();
            let has_offset = seconds(&format!("2000-01-02T00:00:00{zone}")).is_some();
            if found.is_some() || is_valid && has_offset {
                Err(Unreadable::Overflow)
            } else {
                Err(Unreadable::Form)
            }
        }
    }
}

fn seconds(text: &str) -> Option<i64> {
    timestamp::parse(text).map(timestamp::unix_seconds)
}

/// Returns whole seconds if the year is 1 to 9999. A number above a limit is in milliseconds.
pub(super) fn from_number(number: f64) -> Option<i64> {
    let seconds = if number.abs() > MOST_SECONDS {
        number / 1000.0
    } else {
        number
    };
    let whole = seconds.floor();
    // Compared as floats first, because the cast would change values that do not fit.
    (whole.abs() < 1e15)
        .then_some(whole as i64)
        .filter(|whole| is_in_range(*whole))
}

/// Converts a date and time to core's form. Seconds may be missing, the parts may be separated by
/// an underscore, the fraction by a comma, and the offset may lack its colon or use a Unicode minus
/// sign. The fraction is dropped.
fn plain(text: &str) -> Option<String> {
    let (date, rest) = text.split_at_checked("2000-01-01".len())?;
    if rest.is_empty() {
        return Some(format!("{date}T00:00:00"));
    }
    let rest = rest.strip_prefix(['T', 't', ' ', '_'])?;
    let (minute, rest) = rest.split_at_checked("00:00".len())?;
    let (second, zone) = match rest.strip_prefix(':') {
        Some(rest) => {
            let (second, rest) = rest.split_at_checked(2)?;
            // Core accepts leap seconds, but the library does not.
            (
                Some(second).filter(|s| *s != "60")?,
                without_fraction(rest)?,
            )
        }
        None => ("00", rest),
    };
    let zone = match zone.strip_prefix(['+', '-', '\u{2212}']) {
        Some(offset) => {
            let sign = if zone.starts_with('+') { '+' } else { '-' };
            let (hours, minutes) = offset.split_at_checked(2)?;
            let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
            format!("{sign}{hours}:{minutes}")
        }
        // A fraction requires seconds before it.
        None => Some(zone).filter(|zone| !zone.starts_with('.'))?.to_owned(),
    };
    Some(format!("{date}T{minute}:{second}{zone}"))
}

fn without_fraction(text: &str) -> Option<&str> {
    let Some(digits) = text.strip_prefix(['.', ',']) else {
        return Some(text);
    };
    let rest = digits.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < digits.len()).then_some(rest)
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

fn is_in_range(seconds: i64) -> bool {
    (-62_135_596_800..=253_402_300_799).contains(&seconds)
}

/// In the year 2603.
const MOST_SECONDS: f64 = 2e10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_times_and_numbers_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01", 0),
            ("2000-03-01 00:00", 951_868_800),
            ("2000-03-01T00:00Z", 951_868_800),
            ("2000-02-29T23:59:59.999999z", 951_868_799),
            ("2000-03-01T01:30:00+01:30", 951_868_800),
            ("1969-12-31T23:59:59", -1),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("0001-01-01", -62_135_596_800),
            ("951868800", 951_868_800),
            ("951868800.9", 951_868_800),
            ("-1.9", -2),
            (".5", 0),
            ("+5.", 5),
            ("20000000000", 20_000_000_000),
            ("20000000001", 20_000_000),
            ("951868800999", 951_868_800),
            ("2000-03-01_00:00:00,5", 951_868_800),
            ("2000-03-01T00:00:00.12345678901Z", 951_868_800),
            ("2000-03-01T01:30:00+0130", 951_868_800),
            ("2000-02-29T22:30:00\u{2212}01:30", 951_868_800),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn invalid_times_are_refused() {
        for text in [
            "",
            "soon",
            "2001-02-29",
            "2000-13-01",
            "2000-1-1",
            "2000-01-01T24:00",
            "2000-01-01T00",
            "2000-01-01x",
            "1e3",
            ".",
            "+",
            "1.2.3",
            "\u{2212}1",
            "999999999999999",
            "2000-01-01T",
            "2000-01-01T00:00:60",
            "2000-01-01T00:00:0",
            "2000-01-01T00:00:00.",
            "2000-01-01T00:00.5",
            "2000-01-01T00:00:00 Z",
            "2000-01-01T00:00:00ZZ",
            "2000-01-01T00:00:00+01",
            "2000-01-01T00:00:00+1:00",
            "2000-01-01T00:00:00+-1:00",
            "2000-01-01T00:00:00+24:00",
            " 2000-01-01",
            "951868800 ",
            "2000-01-01T00:00é",
            "é000-01-01T00:00:00",
        ] {
            assert_eq!(parse(text), Err(Unreadable::Form), "{text}");
        }
        for (text, why) in [
            ("9999-12-31T23:59:59-01:00", Unreadable::Overflow),
            ("0001-01-01T00:00:00+01:00", Unreadable::Overflow),
            ("0000-01-01", Unreadable::Range),
            ("0000-02-29T00:00:00Z", Unreadable::Range),
            ("0000-13-01", Unreadable::Form),
        ] {
            assert_eq!(parse(text), Err(why), "{text}");
        }
        assert_eq!(from_number(f64::NAN), None);
        assert_eq!(from_number(1e300), None);
        assert_eq!(from_number(-1.5), Some(-2));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "[0-9TZ:.+é-]{0,28}") {
            let _ = parse(&text);
        }
    }
}

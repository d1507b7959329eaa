//! Reading a point in time as the server's validation library does: a date and time, a date, or
//! seconds since 1970, the last also as text.

use std::time::UNIX_EPOCH;

use vouchsafe_core::timestamp;

/// Returns seconds since 1970; fractions are cut, and no zone means UTC.
pub(super) fn parse(text: &str) -> Option<i64> {
    if is_number(text) {
        return from_number(text.parse().ok()?);
    }
    let time = match text.split_at_checked("2000-01-01T00:00".len()) {
        None => timestamp::parse(&format!("{text}T00:00:00")),
        // Seconds may be left out.
        Some((minute, rest)) if !rest.starts_with(':') => {
            timestamp::parse(&format!("{minute}:00{rest}"))
        }
        Some(_) => timestamp::parse(text),
    }?;
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok()?,
        Err(before) => -i64::try_from(before.duration().as_secs()).ok()?,
    };
    is_in_range(seconds).then_some(seconds)
}

/// Returns whole seconds, if the year is one of 1 to 9999.
pub(super) fn from_number(seconds: f64) -> Option<i64> {
    let whole = seconds.trunc();
    // Compared as floats first: the cast would bend what does not fit.
    (whole.abs() < 1e15)
        .then_some(whole as i64)
        .filter(|whole| is_in_range(*whole))
}

fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

fn is_in_range(seconds: i64) -> bool {
    (-62_135_596_800..=253_402_300_799).contains(&seconds)
}

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
            ("-1.9", -1),
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_point_in_time_is_refused() {
        for text in [
            "",
            "soon",
            "2001-02-29",
            "2000-13-01",
            "2000-1-1",
            "2000-01-01T24:00",
            "2000-01-01T00",
            "2000-01-01x",
            "9999-12-31T23:59:59-01:00",
            "1e3",
            ".5",
            "5.",
            "999999999999",
            "2000-01-01T00:00é",
            "é000-01-01T00:00:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(from_number(f64::NAN), None);
        assert_eq!(from_number(1e300), None);
        assert_eq!(from_number(-1.5), Some(-1));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "[0-9TZ:.+é-]{0,28}") {
            parse(&text);
        }
    }
}

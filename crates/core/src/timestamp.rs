//! Times as services write them in JSON: RFC 3339, and numbers since the epoch. Dates in headers are
//! not here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Formats a time as RFC 3339 in UTC, with microseconds unless they are zero:
/// `2026-01-02T03:04:05Z`, `2026-01-02T03:04:05.678900Z`.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use vouchsafe_core::timestamp;
///
/// assert_eq!(timestamp::format(UNIX_EPOCH + Duration::from_millis(1500)), "1970-01-01T00:00:01.500000Z");
/// ```
#[must_use]
pub fn format(at: SystemTime) -> String {
    let (seconds, nanos) = since_epoch(at);
    let (seconds, micros) = (i128::from(seconds), nanos / 1_000);
    let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = match micros {
        0 => String::new(),
        micros => format!(".{micros:06}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// Parses an RFC 3339 date and time: a `T`, `t` or blank between them, any fraction of a second,
/// `Z` or an offset. Without an offset the time is taken as UTC.
///
/// Returns `None` if the text is not RFC 3339, or the time is not in the years 1 to 9999 of UTC, which
/// [`format()`] writes in the same form.
#[must_use]
pub fn parse(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let (nanos, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let (digits, zone) = rest.split_at(end);
            if digits.is_empty() {
                return None;
            }
            (format!("{digits:0<9.9}").parse::<u32>().ok()?, zone)
        }
        None => (0, rest),
    };
    let offset = match zone {
        "" | "Z" | "z" => 0,
        zone => {
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            let [hours, minutes] = numbers(zone.strip_prefix(['+', '-'])?, ':', [2, 2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            sign * (hours * 60 + minutes) * 60
        }
    };
    let is_date = year > 0 && (1..=12).contains(&month) && day > 0 && day <= days_in(year, month);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_from(year, month, day) * DAY as i64 + (hour * 60 + minute) * 60 + second;
    let seconds = seconds - offset;
    if !(FIRST..=LAST).contains(&seconds) {
        return None;
    }
    from_unix_seconds(seconds)?.checked_add(Duration::from_nanos(nanos.into()))
}

/// Returns the whole seconds since 1970, rounded down, also before 1970.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use vouchsafe_core::timestamp;
///
/// assert_eq!(timestamp::unix_seconds(UNIX_EPOCH + Duration::from_millis(1999)), 1);
/// assert_eq!(timestamp::unix_seconds(UNIX_EPOCH - Duration::from_millis(1)), -1);
/// ```
#[must_use]
pub fn unix_seconds(at: SystemTime) -> i64 {
    since_epoch(at).0
}

/// Returns the whole microseconds since 1970, rounded down, also before 1970.
#[must_use]
pub fn unix_micros(at: SystemTime) -> i64 {
    let (seconds, nanos) = since_epoch(at);
    seconds
        .saturating_mul(1_000_000)
        .saturating_add(i64::from(nanos / 1_000))
}

/// Returns the time this many seconds after 1970, or before if they are negative; `None` if the
/// machine cannot represent it.
#[must_use]
pub fn from_unix_seconds(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    }
}

/// Returns the seconds since 1970, rounded down, and the nanoseconds after that second.
fn since_epoch(at: SystemTime) -> (i64, u32) {
    match at.duration_since(UNIX_EPOCH) {
        Ok(after) => {
            let seconds = 0_i64.saturating_add_unsigned(after.as_secs());
            (seconds, after.subsec_nanos())
        }
        Err(before) => {
            let before = before.duration();
            let seconds = 0_i64.saturating_sub_unsigned(before.as_secs());
            match before.subsec_nanos() {
                0 => (seconds, 0),
                nanos => (seconds.saturating_sub(1), 1_000_000_000 - nanos),
            }
        }
    }
}

/// Parses exactly these numbers, with fixed widths and separators.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut parts = text.split(separator);
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn days_in(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 31,
    }
}

/// Returns the days since the epoch of a date in the Gregorian calendar. Years are counted from
/// March, so that the leap day is the last of its year.
fn days_from(year: i64, month: i64, day: i64) -> i64 {
    let year = if month < 3 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - DAYS_TO_EPOCH
}

/// The inverse of [`days_from`].
fn civil(days: i128) -> (i128, i128, i128) {
    let days = days + i128::from(DAYS_TO_EPOCH);
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i128::from(month < 3);
    (year, month, day)
}

const DAY: i128 = 86_400;
/// The first and the last second of the years 1 to 9999.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;
/// From the first of March of the year 0 to the epoch.
const DAYS_TO_EPOCH: i64 = 719_468;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_dates_come_out_right() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600),
            ("2099-01-02T03:04:05Z", 4_071_006_245),
            ("1969-12-31T23:59:59Z", -1),
            ("2026-11-25T02:00:00+02:00", 1_795_564_800),
            ("2026-11-25 00:00:00", 1_795_564_800),
            ("2026-11-24t19:30:00-04:30", 1_795_564_800),
        ] {
            assert_eq!(unix_seconds(parse(text).unwrap()), seconds, "{text}");
        }
    }

    #[test]
    fn fractions_are_read_and_written_to_the_microsecond() {
        let at = parse("2099-01-02T03:04:05.6789+00:00").unwrap();
        assert_eq!(format(at), "2099-01-02T03:04:05.678900Z");
        assert_eq!(
            format(parse("2099-01-02T03:04:05Z").unwrap()),
            "2099-01-02T03:04:05Z"
        );
    }

    #[test]
    fn numbers_are_rounded_down_also_before_1970() {
        for (nanos, micros, seconds) in [
            (0i64, 0, 0),
            (1_999_999_999, 1_999_999, 1),
            (-1, -1, -1),
            (-1_000_000_000, -1_000_000, -1),
            (-1_000_000_001, -1_000_001, -2),
        ] {
            let distance = Duration::from_nanos(nanos.unsigned_abs());
            let at = if nanos < 0 {
                UNIX_EPOCH - distance
            } else {
                UNIX_EPOCH + distance
            };
            let read = (unix_micros(at), unix_seconds(at));
            assert_eq!(read, (micros, seconds), "{nanos} ns");
        }
    }

    #[test]
    fn the_first_and_the_last_time_that_the_machine_has_are_numbers() {
        for seconds in [i64::MIN, i64::MIN + 1, i64::MAX] {
            if let Some(at) = from_unix_seconds(seconds) {
                assert_eq!(unix_seconds(at), seconds);
            }
        }
    }

    #[test]
    fn invalid_dates_are_refused() {
        for text in [
            "",
            "2026-11-25",
            "2026-11-25T",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-25T24:00:00Z",
            "2026-11-25T00:00:00.Z",
            "2026-11-25T00:00:00+2:00",
            "2026-11-25T00:00:00+24:00",
            "2026-11-25T00:00:00Zulu",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "9999-12-31T23:59:60Z",
            "+026-11-25T00:00:00Z",
            "2026-11-2éT00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_time_survives_the_way_out_and_back(micros in -62_135_596_800_000_000i64..253_402_300_800_000_000) {
            let distance = Duration::from_micros(micros.unsigned_abs());
            let at = if micros < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance };
            prop_assert_eq!(parse(&format(at)), Some(at));
            prop_assert_eq!(unix_micros(at), micros);
            let second = from_unix_seconds(unix_seconds(at)).unwrap();
            prop_assert!(second <= at && at < second + Duration::from_secs(1));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}

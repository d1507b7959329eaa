//! Times as the server writes and reads them (protocol section 10). They are microseconds since
//! 1970 in here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vouchsafe_core::timestamp;

/// Returns the microseconds since 1970.
pub(super) fn of(at: SystemTime) -> i64 {
    match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |m| -m),
    }
}

/// Writes a time: `2026-01-02T03:04:05.678900+00:00`, without a fraction that is zero.
pub(super) fn shown(micros: i64) -> String {
    let distance = Duration::from_micros(micros.unsigned_abs());
    let at = if micros < 0 {
        UNIX_EPOCH - distance
    } else {
        UNIX_EPOCH + distance
    };
    let text = timestamp::format(at);
    format!("{}+00:00", text.trim_end_matches('Z'))
}

/// Reads a time that says its offset.
pub(super) fn read(text: &str) -> Option<i64> {
    let (_, time) = text.split_at_checked("2026-01-02T".len())?;
    if !time.contains(['Z', 'z', '+', '-']) {
        return None;
    }
    timestamp::parse(text).map(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_it_is_written_and_only_with_its_offset() {
        for text in [
            "2099-12-31T23:59:59.975572+00:00",
            "2020-01-01T00:00:00+00:00",
            "1969-12-31T23:59:59+00:00",
        ] {
            assert_eq!(shown(read(text).unwrap()), text);
        }
        let east = read("2020-01-01T02:00:00+02:00").unwrap();
        assert_eq!(shown(east), "2020-01-01T00:00:00+00:00");
        assert!(read("2020-01-01T00:00:00Z").is_some());
        for text in ["2020-01-01T00:00:00", "2020-01-01", "soon", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

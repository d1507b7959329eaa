//! Times as the server writes and reads them (protocol section 10), as microseconds since 1970.

use std::time::{Duration, UNIX_EPOCH};

use vouchsafe_core::timestamp;

/// Writes a time: `2026-01-02T03:04:05.678900+00:00`, without a zero fraction.
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

/// Reads a time with an offset, in the forms that a lenient date parser accepts: parts of one
/// digit, a blank for the `T`, no seconds, offsets without a colon.
pub(super) fn read(text: &str) -> Option<i64> {
    let text = text.trim();
    let split = text.find(['T', 't', ' '])?;
    let (date, time) = (&text[..split], text[split + 1..].trim_start());
    let date = digits(date, &['-', '/', '.'])?;
    let [year, month, day] = date[..] else {
        return None;
    };
    let at = time.find(|c: char| !c.is_ascii_digit() && !matches!(c, ':' | '.' | ','))?;
    let (time, offset) = (&time[..at], time[at..].trim());
    let (time, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
    let (hour, minute, second) = match digits(time, &[':'])?[..] {
        [hour, minute, second] => (hour, minute, second),
        [hour, minute] => (hour, minute, 0),
        _ => return None,
    };
    // The server cannot represent a leap second.
    if second > 59 || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(6)];
    let (east, offset) = match offset.split_at_checked(1)? {
        _ if ["Z", "UTC", "GMT"].contains(&offset.to_ascii_uppercase().as_str()) => ("+", "00:00"),
        (sign @ ("+" | "-"), offset) => (sign, offset),
        _ => return None,
    };
    let (hours, minutes) = match (offset.len(), offset.split_once(':')) {
        (_, Some((hours, minutes))) => (hours, minutes),
        (4, None) => offset.split_at_checked(2)?,
        (1 | 2, None) => (offset, "00"),
        _ => return None,
    };
    let [hours, minutes] = [hours, minutes].map(|part| part.parse::<u32>().ok());
    let (hours, minutes) = (hours?, minutes?);
    let normal = format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction}\
         {east}{hours:02}:{minutes:02}"
    );
    timestamp::parse(&normal).map(timestamp::unix_micros)
}

fn digits(text: &str, separators: &[char]) -> Option<Vec<u32>> {
    let parts = text.split(|c| separators.contains(&c));
    parts.map(|part| part.parse().ok()).collect()
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
        let same = read("2097-01-01T00:00:00Z").unwrap();
        for text in [
            "2097-1-1T00:00:00Z",
            "2097-01-01T00:00:00+0000",
            "2097-01-01 00:00:00.0 +00:00",
            "2097/1/1 0:00 UTC",
            "2096-12-31T22:00:00-0200",
            " 2097-01-01T02:00+02 ",
        ] {
            assert_eq!(read(text), Some(same), "{text}");
        }
        for text in [
            "2020-01-01T00:00:00",
            "2020-01-01",
            "2020-01-01T00:00:60Z",
            "2020-13-01T00:00:00Z",
            "2020-01-01T00:00:00+25",
            "2020-01-01T00:00:00X",
            "2020-01-01T00:00:00.Z",
            "2020-01-01T\u{e9}",
            "soon",
            "",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

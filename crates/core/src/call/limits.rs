//! Checks of values that the service is known to refuse. Generated code calls them before anything
//! is sent.

use std::fmt::Display;

use crate::{Error, ErrorKind, Result};

/// Checks the length of a text in characters.
///
/// # Errors
///
/// [`ErrorKind::Invalid`] with the name and the limits. The message does not include the text.
pub fn text(name: &str, value: &str, least: Option<u64>, most: Option<u64>) -> Result<()> {
    let count = value.chars().count() as u64;
    if is_within(count, least, most) {
        return Ok(());
    }
    let message = match (least, most) {
        (Some(1), None) => "must not be empty".to_owned(),
        _ => format!("must have {} characters", span(least, most)),
    };
    Err(invalid(name, &message))
}

/// Checks the number of items of a list.
///
/// # Errors
///
/// As [`text`].
pub fn items(name: &str, count: usize, least: Option<u64>, most: Option<u64>) -> Result<()> {
    if is_within(count as u64, least, most) {
        return Ok(());
    }
    let message = match (least, most) {
        (Some(1), None) => "must not be empty".to_owned(),
        _ => format!("must have {} items", span(least, most)),
    };
    Err(invalid(name, &message))
}

/// Checks the range of an integer.
///
/// # Errors
///
/// As [`text`].
pub fn integer(
    name: &str,
    value: impl Into<i128>,
    least: Option<i128>,
    most: Option<i128>,
) -> Result<()> {
    if is_within(value.into(), least, most) {
        return Ok(());
    }
    Err(invalid(name, &format!("must be {}", span(least, most))))
}

/// Checks the range of a number. NaN is refused too.
///
/// # Errors
///
/// As [`text`].
pub fn number(name: &str, value: f64, least: Option<f64>, most: Option<f64>) -> Result<()> {
    if is_within(value, least, most) {
        return Ok(());
    }
    Err(invalid(name, &format!("must be {}", span(least, most))))
}

/// Checks that a text is a UUID: 32 hexadecimal digits in five groups.
///
/// # Errors
///
/// As [`text`].
pub fn uuid(name: &str, value: &str) -> Result<()> {
    let groups: Vec<&str> = value.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    let is_uuid = lengths.eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if is_uuid {
        return Ok(());
    }
    Err(invalid(name, "must be a UUID"))
}

/// Checks that a text has none of these characters, which would not arrive as they are.
///
/// # Errors
///
/// As [`text`].
pub fn without(name: &str, value: &str, refused: &str) -> Result<()> {
    match value.chars().find(|letter| refused.contains(*letter)) {
        Some(letter) => Err(invalid(
            name,
            &format!("must not have the character {letter:?}"),
        )),
        None => Ok(()),
    }
}

fn is_within<T: PartialOrd>(value: T, least: Option<T>, most: Option<T>) -> bool {
    least.is_none_or(|least| value >= least) && most.is_none_or(|most| value <= most)
}

fn span<T: Display + PartialEq>(least: Option<T>, most: Option<T>) -> String {
    match (least, most) {
        (Some(least), Some(most)) if least == most => format!("exactly {least}"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => "other".to_owned(),
    }
}

fn invalid(name: &str, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("{name} {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_groups_and_digits() {
        assert!(uuid("a", "6f9619ff-8b86-D011-b42d-00cf4fc964ff").is_ok());
        for bad in [
            "",
            "6f9619ff8b86d011b42d00cf4fc964ff",
            "6f9619ff-8b86-d011-b42d-00cf4fc964fg",
            "6f9619ff-8b86-d011-b42d-00cf4fc964ff-",
        ] {
            assert!(uuid("a", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bounds_are_taken_and_what_is_beyond_them_is_refused_by_name() {
        assert!(text("a", "é", Some(1), Some(1)).is_ok());
        assert!(integer("a", u64::MAX, Some(0), None).is_ok());
        assert!(integer("a", -1_i64, None, Some(-1)).is_ok());
        assert!(number("a", 1.5, Some(1.5), Some(1.5)).is_ok());
        assert!(items("a", 0, None, Some(0)).is_ok());
        for (refused, message) in [
            (text("a", "", Some(1), None), "a must not be empty"),
            (
                text("a", "planted", Some(1), Some(6)),
                "a must have 1 to 6 characters",
            ),
            (
                text("a", "planted", Some(22), Some(22)),
                "a must have exactly 22 characters",
            ),
            (items("a", 0, Some(1), None), "a must not be empty"),
            (items("a", 3, None, Some(2)), "a must have at most 2 items"),
            (integer("a", 0_i64, Some(1), None), "a must be at least 1"),
            (
                number("a", f64::NAN, Some(0.5), None),
                "a must be at least 0.5",
            ),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}

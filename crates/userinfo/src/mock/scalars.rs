//! Numbers, booleans and times as the server's validation library parses them: from several types,
//! and by Python's rules.

use serde_json::{Value, json};

use super::datetime::{self, Unreadable};
use super::validate::{At, CRASH, Checked, Problem, fault};

/// An integer; also a whole float, a boolean, or digits in text. The server has no maximum; here,
/// values beyond 64 bits become the nearest that fits.
pub(super) fn integer(value: &Value, at: &At) -> Checked<i64> {
    const TOO_LARGE: &str = "Unable to parse input string as an integer, exceeded maximum size";
    match value {
        Value::Bool(truth) => Ok(i64::from(*truth)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(whole),
            (None, _) if number.is_u64() => Ok(i64::MAX),
            // A cast from a float yields the nearest number that fits.
            (None, Some(float)) if float.fract() == 0.0 => Ok(float as i64),
            _ => fault(
                "int_from_float",
                at,
                value,
                "Input should be a valid integer, got a number with a fractional part",
            ),
        },
        Value::String(text) if text.len() > MOST_DIGITS => {
            fault("int_parsing_size", at, value, TOO_LARGE)
        }
        Value::String(text) => match whole(text) {
            Some(whole) => Ok(whole),
            None => fault(
                "int_parsing",
                at,
                value,
                "Input should be a valid integer, unable to parse string as an integer",
            ),
        },
        _ => fault("int_type", at, value, "Input should be a valid integer"),
    }
}

/// An integer of at least one.
pub(super) fn positive(value: &Value, at: &At) -> Checked<i64> {
    let number = integer(value, at)?;
    if number >= 1 {
        return Ok(number);
    }
    let msg = "Input should be greater than or equal to 1";
    let problem = Problem::new("greater_than_equal", at, value, msg);
    Err(vec![problem.with_ctx(json!({"ge": 1}))])
}

/// A number; also a boolean, or a number in text, which may be infinite or NaN.
pub(super) fn float(value: &Value, at: &At) -> Checked<f64> {
    match value {
        Value::Bool(truth) => Ok(f64::from(u8::from(*truth))),
        Value::Number(number) => Ok(number.as_f64().unwrap_or_default()),
        Value::String(text) => match without_underscores(text.trim()).map(|text| text.parse()) {
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) | None => fault(
                "float_parsing",
                at,
                value,
                "Input should be a valid number, unable to parse string as a number",
            ),
        },
        _ => fault("float_type", at, value, "Input should be a valid number"),
    }
}

/// A boolean; also 0 and 1, and words for them.
pub(super) fn boolean(value: &Value, at: &At) -> Checked<bool> {
    let unknown = "Input should be a valid boolean, unable to interpret input";
    match value {
        Value::Bool(truth) => Ok(*truth),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Ok(false),
            Some(1.0) => Ok(true),
            Some(float) if float.fract() == 0.0 && float.abs() < INTEGERS => {
                fault("bool_parsing", at, value, unknown)
            }
            _ => fault("bool_type", at, value, "Input should be a valid boolean"),
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
            "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
            _ => fault("bool_parsing", at, value, unknown),
        },
        _ => fault("bool_type", at, value, "Input should be a valid boolean"),
    }
}

/// A point in time, in seconds since 1970.
pub(super) fn timestamp(value: &Value, at: &At) -> Checked<i64> {
    let found = match value {
        Value::String(text) => datetime::parse(text),
        Value::Number(number) => {
            let number = number.as_f64().and_then(datetime::from_number);
            number.ok_or(Unreadable::Range)
        }
        _ => {
            return fault(
                "datetime_type",
                at,
                value,
                "Input should be a valid datetime",
            );
        }
    };
    let msg = "Input should be a valid datetime or date";
    match found {
        Ok(seconds) => Ok(seconds),
        Err(Unreadable::Form) => fault("datetime_from_date_parsing", at, value, msg),
        Err(Unreadable::Range) => fault("datetime_parsing", at, value, msg),
        Err(Unreadable::Overflow) => fault(CRASH, at, value, msg),
    }
}

/// The maximum number of digits that the server accepts.
const MOST_DIGITS: usize = 4300;

/// The first integer that does not fit into 64 bits with a sign.
const INTEGERS: f64 = 9_223_372_036_854_775_808.0;

/// Digits in text, with optional sign, white space around, zeros after the point and underscores
/// between.
fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((digits, zeros)) if zeros.bytes().all(|b| b == b'0') && !zeros.is_empty() => digits,
        Some(_) => return None,
        None => text,
    };
    python_integer(digits)
}

/// Digits with a sign and single underscores between them. A number that does not fit becomes the
/// nearest that does.
pub(super) fn python_integer(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = without_underscores(digits)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = digits.parse::<i64>().unwrap_or(i64::MAX);
    Some(match (is_negative, number) {
        (true, i64::MAX) => i64::MIN,
        (true, number) => -number,
        (false, number) => number,
    })
}

/// Removes single underscores within a text; `None` if there are others.
fn without_underscores(text: &str) -> Option<String> {
    let is_odd = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    (!is_odd).then(|| text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: At = At::Root("body");

    fn kind<T: std::fmt::Debug>(checked: Checked<T>) -> &'static str {
        checked.unwrap_err()[0].kind
    }

    #[test]
    fn numbers_are_read_leniently() {
        for (value, expected) in [
            (json!(5), Ok(5)),
            (json!(5.0), Ok(5)),
            (json!(true), Ok(1)),
            (json!(" -7 "), Ok(-7)),
            (json!("7.00"), Ok(7)),
            (json!(5.5), Err("int_from_float")),
            (json!("7."), Err("int_parsing")),
            (json!("x"), Err("int_parsing")),
            (json!(null), Err("int_type")),
            (json!([]), Err("int_type")),
            (json!("-1_0.0"), Ok(-10)),
            (json!("1__0"), Err("int_parsing")),
            (json!("_1"), Err("int_parsing")),
            (json!("1_"), Err("int_parsing")),
            (json!(""), Err("int_parsing")),
            (json!("-"), Err("int_parsing")),
            (
                json!(9_223_372_036_854_774_784.0),
                Ok(9_223_372_036_854_774_784),
            ),
            (json!(u64::MAX), Ok(i64::MAX)),
            (json!(-1e20), Ok(i64::MIN)),
            (json!("9223372036854775808"), Ok(i64::MAX)),
            (json!("-9223372036854775809"), Ok(i64::MIN)),
            (json!("+-1"), Err("int_parsing")),
            (json!("1".repeat(4300)), Ok(i64::MAX)),
            (json!("1".repeat(4301)), Err("int_parsing_size")),
        ] {
            let found = integer(&value, &AT).map_err(|problems| problems[0].kind);
            assert_eq!(found, expected, "{value}");
        }
        assert_eq!(kind(positive(&json!(0), &AT)), "greater_than_equal");
        assert_eq!(float(&json!("2.5"), &AT), Ok(2.5));
        assert_eq!(float(&json!(" 1_0e1"), &AT), Ok(100.0));
        assert!(float(&json!("NaN"), &AT).unwrap().is_nan());
        assert_eq!(float(&json!("-INF"), &AT), Ok(f64::NEG_INFINITY));
        assert_eq!(float(&json!("1_.0"), &AT), Ok(1.0));
        assert_eq!(kind(float(&json!("x"), &AT)), "float_parsing");
        assert_eq!(kind(float(&json!({}), &AT)), "float_type");
    }

    #[test]
    fn truth_values_have_words() {
        assert_eq!(boolean(&json!("Off"), &AT), Ok(false));
        assert_eq!(boolean(&json!(1), &AT), Ok(true));
        assert_eq!(kind(boolean(&json!("maybe"), &AT)), "bool_parsing");
        assert_eq!(kind(boolean(&json!(2), &AT)), "bool_parsing");
        assert_eq!(kind(boolean(&json!(null), &AT)), "bool_type");
        assert_eq!(kind(boolean(&json!(0.5), &AT)), "bool_type");
        assert_eq!(kind(boolean(&json!(1e300), &AT)), "bool_type");
    }

    #[test]
    fn times_come_in_many_forms() {
        assert_eq!(timestamp(&json!(60.9), &AT), Ok(60));
        assert_eq!(timestamp(&json!("1970-01-02"), &AT), Ok(86_400));
        assert_eq!(
            kind(timestamp(&json!("x"), &AT)),
            "datetime_from_date_parsing"
        );
        assert_eq!(kind(timestamp(&json!(true), &AT)), "datetime_type");
        assert_eq!(kind(timestamp(&json!(1e20), &AT)), "datetime_parsing");
        assert_eq!(
            kind(timestamp(&json!("0000-05-01"), &AT)),
            "datetime_parsing"
        );
        let past_the_end = json!("9999-12-31T23:59:59-01:00");
        assert!(timestamp(&past_the_end, &AT).unwrap_err()[0].is_crash());
    }
}

//! Reads a body as the server's framework does: a JSON content type selects a decoder that accepts
//! more than JSON, and any other body is one text.

use http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use super::json_fault::{self, Verdict};
use super::refusal::Refusal;
use super::validate::{At, Problem, UNHELD};

/// Reads a body; `None` if it is missing or `null`, which the server treats alike.
///
/// # Errors
///
/// If the body is declared as JSON but is not valid: the server refuses that before anything else.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Option<Value>, Refusal> {
    if body.is_empty() {
        return Ok(None);
    }
    if !is_json(headers) {
        let text = String::from_utf8_lossy(body);
        // The server crashes when it repeats bytes that are not text.
        let is_text = std::str::from_utf8(body).is_ok();
        return Ok(Some(json!(if is_text { &*text } else { UNHELD })));
    }
    let text = decode(body).ok_or(Refusal::UnreadableBody)?;
    let value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(_) => match json_fault::find(&text) {
            Verdict::Fault(what, position) => return Err(no_json(what, position)),
            Verdict::TooDeep => return Err(Refusal::UnreadableBody),
            Verdict::Json => lenient(&text)?,
        },
    };
    Ok(Some(value).filter(|value| !value.is_null()))
}

/// Returns a body that is required.
pub(super) fn required(body: Option<Value>) -> Result<Value, Refusal> {
    body.ok_or_else(|| vec![Problem::missing(&At::Root("body"), &Value::Null)].into())
}

fn no_json(what: &str, position: usize) -> Refusal {
    let empty = json!({});
    let body = At::Root("body");
    let at = At::Index(&body, position);
    let problem = Problem::new("json_invalid", &at, &empty, "JSON decode error");
    vec![problem.with_ctx(json!({"error": what}))].into()
}

/// Returns whether a body is declared as JSON; parameters are ignored.
fn is_json(headers: &HeaderMap) -> bool {
    let declared = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = declared
        .and_then(|text| text.split(';').next())
        .unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    essence
        .strip_prefix("application/")
        .is_some_and(|kind| kind == "json" || kind.ends_with("+json"))
}

/// Decodes text in the encoding that the decoder detects: UTF-8, or UTF-16 or UTF-32 by a byte
/// order mark or by the position of zero bytes. `None` if the text is not valid in that encoding.
fn decode(body: &[u8]) -> Option<String> {
    let zeros: Vec<bool> = body.iter().take(4).map(|byte| *byte == 0).collect();
    match (body, zeros.as_slice()) {
        ([0xFF, 0xFE, 0, 0, rest @ ..], _) => utf32(rest, u32::from_le_bytes),
        ([0, 0, 0xFE, 0xFF, rest @ ..], _) => utf32(rest, u32::from_be_bytes),
        ([0xFF, 0xFE, rest @ ..], _) => utf16(rest, u16::from_le_bytes),
        ([0xFE, 0xFF, rest @ ..], _) => utf16(rest, u16::from_be_bytes),
        ([0xEF, 0xBB, 0xBF, rest @ ..], _) => utf8(rest),
        (_, [true, true, _, _]) => utf32(body, u32::from_be_bytes),
        (_, [true, false, _, _] | [true, false]) => utf16(body, u16::from_be_bytes),
        (_, [false, true, false, _] | [false, true]) => utf16(body, u16::from_le_bytes),
        (_, [false, true, true, false]) => utf16(body, u16::from_le_bytes),
        (_, [false, true, true, true]) => utf32(body, u32::from_le_bytes),
        _ => utf8(body),
    }
}

fn utf8(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<String> {
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return None;
    };
    let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    String::from_utf16(&units).ok()
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<String> {
    let (quads, []) = bytes.as_chunks::<4>() else {
        return None;
    };
    let units = quads.iter().copied().map(unit);
    units.map(char::from_u32).collect()
}

/// Parses what the decoder accepts but a strict parser does not: words for NaN and infinity,
/// numbers that are too large, and unpaired surrogates. Each becomes [`UNHELD`].
///
/// # Errors
///
/// If an integer has more digits than the decoder accepts.
fn lenient(text: &str) -> Result<Value, Refusal> {
    let unheld = json!(UNHELD).to_string();
    let mut strict = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => end_of_string(rest),
            c if c.is_ascii_alphanumeric() || c == '-' => rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')))
                .unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, tail) = rest.split_at(end);
        let is_token = first == '"' || first == '-' || first.is_ascii_alphanumeric();
        if !is_token || serde_json::from_str::<Value>(token).is_ok() {
            strict.push_str(token);
        } else if token.len() > MOST_DIGITS && token.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Refusal::UnreadableBody);
        } else {
            strict.push_str(&unheld);
        }
        rest = tail;
    }
    serde_json::from_str(&strict).map_err(|_| Refusal::UnreadableBody)
}

/// Returns the end of the string that begins here.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

const MOST_DIGITS: usize = 4300;

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn declared(kind: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(kind))])
    }

    fn told(kind: &'static str, body: &[u8]) -> String {
        match read(&declared(kind), body) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(value)) => value.to_string().replace(UNHELD, "?"),
            Err(Refusal::UnreadableBody) => "unreadable".to_owned(),
            Err(Refusal::Invalid(problems)) => {
                format!("{} {:?}", problems[0].kind, problems[0].loc)
            }
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn json_is_read_in_every_encoding_that_the_decoder_guesses() {
        let text = r#"{"a":"é"}"#;
        let utf16 =
            |unit: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(unit).collect() };
        let utf32 = |unit: fn(u32) -> [u8; 4]| -> Vec<u8> {
            text.chars().flat_map(|c| unit(c as u32)).collect()
        };
        let marked = |mark: &[u8], bytes: Vec<u8>| [mark.to_vec(), bytes].concat();
        for body in [
            text.as_bytes().to_vec(),
            marked(b"\xEF\xBB\xBF", text.into()),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
            marked(b"\xFF\xFE", utf16(u16::to_le_bytes)),
            marked(b"\xFE\xFF", utf16(u16::to_be_bytes)),
            utf32(u32::to_le_bytes),
            utf32(u32::to_be_bytes),
            marked(b"\xFF\xFE\0\0", utf32(u32::to_le_bytes)),
            marked(b"\0\0\xFE\xFF", utf32(u32::to_be_bytes)),
        ] {
            assert_eq!(told("application/json", &body), text, "{body:?}");
        }
    }

    #[test]
    fn bodies_that_are_not_json_and_not_text_have_different_errors() {
        for (body, expected) in [
            (&b""[..], "nothing"),
            (b" null ", "nothing"),
            (b"[]", "[]"),
            (b"{,", "json_invalid [String(\"body\"), Number(1)]"),
            (b"  ", "json_invalid [String(\"body\"), Number(2)]"),
            (b"{\"a\": \"\xFF\"}", "unreadable"),
            (
                b"[NaN, -Infinity, 1e400, \"NaN\", 1]",
                r#"["?","?","?","NaN",1]"#,
            ),
            (br#"{"\ud800": 1, "b": "\"\udc00"}"#, r#"{"b":"?","?":1}"#),
        ] {
            assert_eq!(told("application/json", body), expected, "{body:?}");
        }
        let deep = "[".repeat(10_000);
        assert_eq!(told("application/json", deep.as_bytes()), "unreadable");
        let long = "1".repeat(4301);
        assert_eq!(told("application/json", long.as_bytes()), "unreadable");
    }

    #[test]
    fn what_is_not_declared_as_json_is_one_text() {
        for kind in ["application/json; charset=x", "APPLICATION/problem+JSON"] {
            assert_eq!(told(kind, b"{}"), "{}", "{kind}");
        }
        for kind in ["text/plain", "application/jsonx", "json", "text/json"] {
            assert_eq!(told(kind, b"{}"), r#""{}""#, "{kind}");
        }
        assert_eq!(told("text/plain", b"\xFF"), r#""?""#);
        assert_eq!(read(&HeaderMap::new(), b"{}").unwrap(), Some(json!("{}")));
    }
}

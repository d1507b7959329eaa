//! Forms with files (RFC 7578), as far as the service supports them, and plain forms.

use http::header::CONTENT_TYPE;
use vouchsafe_core::mock::form::Fields;
use vouchsafe_core::transport::Request;

/// One field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) is_file: bool,
    pub(super) content: Vec<u8>,
}

/// Reads the fields of a form; returns none if the body is not a form.
pub(super) fn read(request: &Request) -> Option<Vec<Part>> {
    let kind = request.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    if kind.starts_with("application/x-www-form-urlencoded") {
        let fields = Fields::parse(&request.body);
        let part = |(name, value): (&str, &str)| Part {
            name: name.to_owned(),
            is_file: false,
            content: value.as_bytes().to_vec(),
        };
        return Some(fields.iter().map(part).collect());
    }
    let boundary = kind
        .strip_prefix("multipart/form-data")?
        .split("boundary=")
        .nth(1)?;
    let boundary = boundary.split(';').next()?.trim().trim_matches('"');
    let mark = format!("--{boundary}");
    let mut parts = Vec::new();
    for piece in split(&request.body, mark.as_bytes()).skip(1) {
        let Some(piece) = piece.strip_prefix(b"\r\n") else {
            break;
        };
        parts.push(part(piece.strip_suffix(b"\r\n").unwrap_or(piece))?);
    }
    Some(parts)
}

fn part(piece: &[u8]) -> Option<Part> {
    let at = piece.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, content) = piece.split_at(at);
    let head = String::from_utf8_lossy(head);
    let disposition = head.lines().find(|line| {
        line.to_ascii_lowercase()
            .starts_with("content-disposition:")
    })?;
    let value = |name: &str| {
        let mut parameters = disposition.split(';').skip(1).map(str::trim);
        let found = parameters.find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
        found.map(|value| value.trim_matches('"').to_owned())
    };
    Some(Part {
        name: value("name")?,
        is_file: value("filename").is_some(),
        content: content.get(4..)?.to_vec(),
    })
}

fn split<'b>(bytes: &'b [u8], mark: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let left = rest?;
        match left.windows(mark.len()).position(|window| window == mark) {
            Some(at) => {
                rest = left.get(at + mark.len()..);
                left.get(..at)
            }
            None => rest.take(),
        }
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, Uri};

    use super::*;

    #[test]
    fn fields_and_files_are_told_apart() {
        let mut request = Request::new(Method::POST, Uri::from_static("/"));
        let kind = HeaderValue::from_static("multipart/form-data; boundary=b");
        request.headers.insert(CONTENT_TYPE, kind);
        request.body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n\
                        --b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.xml\"\r\n\
                        Content-Type: text/xml\r\n\r\n<x/>\r\n--b--\r\n"
            .into();
        let parts = read(&request).unwrap();
        let seen: Vec<_> = parts
            .iter()
            .map(|part| (part.name.as_str(), part.is_file))
            .collect();
        assert_eq!(seen, [("a", false), ("f", true)]);
        assert_eq!(parts[0].content, b"1\r\n2");
        assert_eq!(parts[1].content, b"<x/>");
    }
}

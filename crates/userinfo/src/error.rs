//! The errors of calls to Gafaelfawr and Repertoire.

use serde_json::Value;
use vouchsafe_core::call::Fault;
use vouchsafe_core::text::without_mark;
use vouchsafe_core::transport::Response;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

vouchsafe_core::service_error! {
    /// Why a call to Gafaelfawr or Repertoire failed.
    ///
    /// `Display` is one line for people, the methods are for programs, and `source()` is the cause.
    /// No text includes a token.
    Error, ErrorKind, classify
}

impl Error {
    /// Returns the items of the refusal's body: Gafaelfawr's `detail` in all of its three forms
    /// (protocol section 4.2). Empty if there is no body or it has no details.
    #[must_use]
    pub fn details(&self) -> Vec<Detail> {
        self.core()
            .body()
            .map(|body| details(body))
            .unwrap_or_default()
    }
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Repertoire does not know a Gafaelfawr with API version 1.
    ServiceNotFound,
    /// Repertoire could not be reached, or its answer could not be used; core's kind is the reason.
    Discovery(vouchsafe_core::ErrorKind),
    /// The installation has no user directory: only the user of a token can be looked up.
    NoDirectory,
    /// Gafaelfawr is up but its directory is down. A later attempt may succeed.
    UserInfoFailed,
    /// An error that is not specific to these services.
    Core(vouchsafe_core::ErrorKind),
}

/// One item of an error body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detail {
    /// The code, such as `permission_denied`. Empty if the body is only text.
    pub kind: String,
    /// The human-readable message.
    pub msg: String,
    /// The place of the fault in the input, from the outside in.
    pub loc: Vec<Place>,
}

/// One step on the path to a fault in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "JSON has objects and lists")]
pub enum Place {
    /// The index in a list.
    Index(u64),
    /// The name in an object.
    Name(String),
}

/// Reads the code and message of a refusal.
pub(crate) fn read_fault(response: &Response) -> Fault {
    match details(&response.body).into_iter().next() {
        Some(first) => {
            let code = Some(first.kind).filter(|code| !code.is_empty());
            Fault::new(code, Some(first.msg).filter(|msg| !msg.is_empty()))
        }
        None => Fault::default(),
    }
}

/// Reads what is present: an item with a malformed member is still an item.
fn details(body: &[u8]) -> Vec<Detail> {
    let body: Value = serde_json::from_slice(without_mark(body)).unwrap_or_default();
    match &body["detail"] {
        Value::Array(items) => items.iter().filter_map(detail).collect(),
        one => detail(one).into_iter().collect(),
    }
}

fn detail(item: &Value) -> Option<Detail> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match item {
        Value::String(msg) => Some(Detail {
            msg: msg.clone(),
            ..Detail::default()
        }),
        Value::Object(_) => Some(Detail {
            kind: text(&item["type"]),
            msg: text(&item["msg"]),
            loc: item["loc"]
                .as_array()
                .into_iter()
                .flatten()
                .map(place)
                .collect(),
        }),
        _ => None,
    }
}

fn place(step: &Value) -> Place {
    match (step.as_u64(), step) {
        (Some(index), _) => Place::Index(index),
        (None, Value::String(name)) => Place::Name(name.clone()),
        (None, other) => Place::Name(other.to_string()),
    }
}

fn classify(core: &vouchsafe_core::Error) -> ErrorKind {
    let of_discovery = core
        .operation()
        .is_some_and(|id| id.starts_with("repertoire."));
    match (core.status().map(|status| status.as_u16()), core.code()) {
        _ if of_discovery => ErrorKind::Discovery(core.kind()),
        (Some(404), Some("not_supported")) => ErrorKind::NoDirectory,
        (Some(500), Some("user_info_failed")) => ErrorKind::UserInfoFailed,
        _ => ErrorKind::Core(core.kind()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shapes_of_detail_are_read() {
        for (body, expected) in [
            (
                r#"{"detail":[{"msg":"m","type":"t","loc":["body","groups",0]},{}]}"#,
                vec!["t", ""],
            ),
            (
                r#"{"detail":{"msg":"m","type":"no_authorization"}}"#,
                vec!["no_authorization"],
            ),
            (r#"{"detail":"Not Found"}"#, vec![""]),
            ("Internal Server Error", vec![]),
            (r#"{"detail":["Not Found"]}"#, vec![""]),
            (
                r#"{"detail":[{"msg":null,"type":"t","loc":[-1,null]},7]}"#,
                vec!["t"],
            ),
            (r#"{"detail":{"type":7,"loc":{}}}"#, vec![""]),
            (r#"{"detail":7}"#, vec![]),
            ("[]", vec![]),
            ("", vec![]),
        ] {
            let kinds: Vec<_> = details(body.as_bytes())
                .into_iter()
                .map(|d| d.kind)
                .collect();
            assert_eq!(kinds, expected, "{body}");
        }
    }

    #[test]
    fn errors_of_discovery_and_of_gafaelfawr_differ() {
        let core = vouchsafe_core::Error::new(vouchsafe_core::ErrorKind::NotFound, "x");
        let discovery = Error::from(core.clone().with_operation("repertoire.getDiscovery"));
        assert_eq!(
            discovery.kind(),
            ErrorKind::Discovery(vouchsafe_core::ErrorKind::NotFound)
        );
        let other = Error::from(core.with_operation("gafaelfawr.listUsers"));
        assert_eq!(
            other.kind(),
            ErrorKind::Core(vouchsafe_core::ErrorKind::NotFound)
        );
    }
}

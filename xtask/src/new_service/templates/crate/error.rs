//! The errors of calls to {{TITLE}}.

use serde_json::Value;
use vouchsafe_core::call::Fault;
use vouchsafe_core::text::without_mark;
use vouchsafe_core::transport::Response;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

vouchsafe_core::service_error! {
    /// Why a call to {{TITLE}} failed.
    ///
    /// `Display` is one line for people, the methods are for programs, and `source()` is the cause.
    /// No text includes a token.
    Error, ErrorKind, classify
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An error that is not specific to this service.
    Core(vouchsafe_core::ErrorKind),
}

fn classify(core: &vouchsafe_core::Error) -> ErrorKind {
    ErrorKind::Core(core.kind())
}

/// Reads the code and message of a refusal (protocol section 3).
pub(crate) fn read_fault(response: &Response) -> Fault {
    let body: Value = serde_json::from_slice(without_mark(&response.body)).unwrap_or_default();
    let text = |keys: &[&str]| {
        let mut found = keys.iter().filter_map(|key| body[key].as_str());
        found.find(|text| !text.is_empty()).map(str::to_owned)
    };
    Fault::new(text(&["code", "error"]), text(&["message"]))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use vouchsafe_core::call::Fault;

    use super::*;

    #[test]
    fn code_and_message_of_a_refusal_are_read_and_anything_else_is_none() {
        let read = |body: &'static str| {
            let mut response = Response::new(StatusCode::CONFLICT);
            response.body = body.into();
            format!("{:?}", read_fault(&response))
        };
        let expected = Fault::new(Some("gone".to_owned()), Some("no more".to_owned()));
        let expected = format!("{expected:?}");
        assert_eq!(read(r#"{"code":"gone","message":"no more"}"#), expected);
        assert_eq!(read(r#"{"error":"gone","message":"no more"}"#), expected);
        for body in ["", "no", "[]", "{\"code\":7}", "{\"code\":\"\"}"] {
            assert_eq!(read(body), format!("{:?}", Fault::default()), "{body}");
        }
    }
}

//! The targets of redirects (RFC 9110, section 15.4).

use http::header::LOCATION;
use http::{Method, StatusCode};
use vouchsafe_core::call::Answer;
use vouchsafe_core::{Error as Core, ErrorKind as Kind};

use crate::Error;
use crate::url::Url;

/// Returns the target of a redirect. `None` if the answer is not one, or its target is not a URL.
pub(super) fn next(answer: &Answer, from: &Url) -> Option<Url> {
    let is_redirect = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = answer.headers().get(LOCATION).filter(|_| is_redirect)?;
    from.resolved(location.to_str().ok()?).ok()
}

/// The error for a redirect after as many as are followed.
pub(super) fn too_many(answer: &Answer, most: u32) -> Error {
    let what = format!("more than {most} redirects");
    let error = Core::new(Kind::Status, what).with_status(answer.status());
    error.with_operation("http.request").into()
}

/// Returns whether a redirect is followed with GET, without the body.
pub(super) fn becomes_get(status: StatusCode, method: &Method) -> bool {
    match status {
        StatusCode::SEE_OTHER => *method != Method::HEAD,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::POST,
        _ => false,
    }
}

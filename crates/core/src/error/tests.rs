use std::error::Error as _;

use super::*;

#[test]
fn one_line_tells_operation_message_status_code_and_attempts() {
    let error = Error::new(ErrorKind::Forbidden, "scope missing")
        .with_operation("gafaelfawr.listUsers")
        .with_status(StatusCode::FORBIDDEN)
        .with_code("permission_denied")
        .with_attempts(3, Duration::from_secs(1));
    assert_eq!(
        error.to_string(),
        "gafaelfawr.listUsers: scope missing (HTTP 403, permission_denied), 3 attempts in 1 s"
    );
}

#[test]
fn the_cause_is_in_source_only() {
    let error = Error::new(ErrorKind::Transport, "connection broke")
        .with_source(std::io::Error::other("reset by peer"));
    assert_eq!(error.to_string(), "connection broke");
    assert_eq!(error.source().unwrap().to_string(), "reset by peer");
}

#[test]
fn foreign_text_is_cut_and_kept_on_one_line() {
    let error = Error::new(
        ErrorKind::Status,
        format!("a\r\nb\u{1b}[31m\u{2028}\u{202e}{}", "x".repeat(500)),
    );
    let text = error.to_string();
    assert!(text.chars().count() <= 200);
    assert!(text.starts_with("a  b [31m  x"), "{text:?}");
}

#[test]
fn of_a_large_body_only_the_beginning_is_held() {
    let body = Bytes::from(vec![b'x'; KEPT_BODY + 1]);
    let error = Error::new(ErrorKind::Status, "no").with_body(&body);
    assert_eq!(error.body().map(Bytes::len), Some(KEPT_BODY));
    assert!(body.is_unique());
}

#[test]
fn a_body_is_kept_but_not_shown() {
    let error =
        Error::new(ErrorKind::Status, "no").with_body(&Bytes::from_static(b"planted-secret"));
    assert_eq!(error.body().unwrap(), "planted-secret");
    assert!(!format!("{error} {error:?}").contains("planted"));
}

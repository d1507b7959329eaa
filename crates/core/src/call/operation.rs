//! What the pipeline must know of an operation: data, made by `cargo xtask codegen`.

use http::{Method, StatusCode};

use crate::ErrorKind;

/// One operation of a service.
///
/// Whether it may be sent twice is a fact about the operation, not about its method: some
/// services read with POST, and some writes must never be doubled.
#[derive(Clone, Debug)]
pub struct Operation {
    id: &'static str,
    method: Method,
    path: &'static str,
    repeat: Repeat,
    response_limit: usize,
    sensitive_path: bool,
    is_open: bool,
    answers: &'static [u16],
    status_rules: &'static [StatusRule],
    repeat_rules: &'static [RepeatRule],
}

impl Operation {
    /// Describes an operation that must not be doubled and answers at most 1 MiB.
    ///
    /// `id` is `service.operationId`; `path` is the template, such as `/users/{username}`.
    #[must_use]
    pub const fn new(id: &'static str, method: Method, path: &'static str) -> Self {
        Self {
            id,
            method,
            path,
            repeat: Repeat::OnlyIfUnsent,
            response_limit: 1 << 20,
            sensitive_path: false,
            is_open: false,
            answers: &[],
            status_rules: &[],
            repeat_rules: USUAL_REPEATS,
        }
    }

    /// Sets whether the operation may be sent again.
    #[must_use]
    pub const fn repeat(mut self, repeat: Repeat) -> Self {
        self.repeat = repeat;
        self
    }

    /// Sets how many bytes an answer may have.
    #[must_use]
    pub const fn response_limit(mut self, bytes: usize) -> Self {
        self.response_limit = bytes;
        self
    }

    /// Marks the path as holding a secret: errors and logs show the template instead.
    #[must_use]
    pub const fn sensitive_path(mut self) -> Self {
        self.sensitive_path = true;
        self
    }

    /// Marks the operation as one that takes no credential.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.is_open = true;
        self
    }

    /// Names statuses beside 2xx that are answers rather than refusals, such as 304 to a request
    /// with `If-None-Match`.
    #[must_use]
    pub const fn answers(mut self, statuses: &'static [u16]) -> Self {
        self.answers = statuses;
        self
    }

    /// Sets what statuses mean where they differ from [`Operation::kind_of`]'s defaults.
    #[must_use]
    pub const fn status_rules(mut self, rules: &'static [StatusRule]) -> Self {
        self.status_rules = rules;
        self
    }

    /// Sets after which refusals an operation that may be doubled is sent again, instead of after
    /// 408, 429, 502, 503 and 504. One that must not be doubled is never sent again after any.
    #[must_use]
    pub const fn repeat_rules(mut self, rules: &'static [RepeatRule]) -> Self {
        self.repeat_rules = rules;
        self
    }

    /// Returns the id, such as `gafaelfawr.getUserInfo`.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path template.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// Returns whether the operation may be sent again.
    #[must_use]
    pub const fn repeatable(&self) -> Repeat {
        self.repeat
    }

    /// Returns how many bytes an answer may have.
    #[must_use]
    pub const fn max_response(&self) -> usize {
        self.response_limit
    }

    /// Returns whether the operation takes no credential.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns whether the path holds a secret.
    #[must_use]
    pub const fn has_sensitive_path(&self) -> bool {
        self.sensitive_path
    }

    /// Returns whether a status is an answer rather than a refusal.
    #[must_use]
    pub fn is_answer(&self, status: StatusCode) -> bool {
        status.is_success() || self.answers.contains(&status.as_u16())
    }

    /// Returns whether a refusal with this status, and the service's code if it told one, is one
    /// after which the operation is sent again, provided that it may be doubled.
    #[must_use]
    pub fn is_repeated_after(&self, status: StatusCode, code: Option<&str>) -> bool {
        self.repeat_rules.iter().any(|rule| {
            rule.status == status.as_u16() && (rule.code.is_none() || rule.code == code)
        })
    }

    /// Returns what a status with a service's code means: the first rule that fits, else the
    /// meaning in RFC 9110.
    #[must_use]
    pub fn kind_of(&self, status: StatusCode, code: Option<&str>) -> ErrorKind {
        let rule = self.status_rules.iter().find(|rule| {
            rule.status == status.as_u16() && (rule.code.is_none() || rule.code == code)
        });
        match rule {
            Some(rule) => rule.kind,
            None => match status.as_u16() {
                400 | 422 => ErrorKind::Invalid,
                401 => ErrorKind::Credential,
                403 => ErrorKind::Forbidden,
                404 | 410 => ErrorKind::NotFound,
                409 => ErrorKind::Conflict,
                429 => ErrorKind::Throttled,
                _ => ErrorKind::Status,
            },
        }
    }
}

/// Whether an operation may be sent again when the first try's fate is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "doubling is harmless or it is not")]
pub enum Repeat {
    /// Doubling is harmless: reads, and writes that set rather than add.
    Safe,
    /// Only if nothing of the first try left this machine; whatever the answer was. The one
    /// exception is 401 when there is a newer token, because that status says that the request
    /// was not applied (RFC 9110, 15.5.2).
    OnlyIfUnsent,
}

/// What one status, with one code of the service or any, means for an operation.
#[derive(Clone, Copy, Debug)]
pub struct StatusRule {
    status: u16,
    code: Option<&'static str>,
    kind: ErrorKind,
}

impl StatusRule {
    /// Says what `status` means; with a code, only when the body carries that code.
    #[must_use]
    pub const fn new(status: u16, code: Option<&'static str>, kind: ErrorKind) -> Self {
        Self { status, code, kind }
    }
}

/// A refusal after which an operation may be sent again, because it tends to pass in a moment.
#[derive(Clone, Copy, Debug)]
pub struct RepeatRule {
    status: u16,
    code: Option<&'static str>,
}

impl RepeatRule {
    /// Names a status; with a code, only when the body carries that code.
    #[must_use]
    pub const fn new(status: u16, code: Option<&'static str>) -> Self {
        Self { status, code }
    }
}

/// Refusals that say of themselves that they pass. 500 does not: it is as often a fault of the
/// server that the same request meets every time.
const USUAL_REPEATS: &[RepeatRule] = &[
    RepeatRule::new(408, None),
    RepeatRule::new(429, None),
    RepeatRule::new(502, None),
    RepeatRule::new(503, None),
    RepeatRule::new(504, None),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_success_is_an_answer_only_if_it_is_named() {
        let plain = Operation::new("s.o", Method::GET, "/o");
        let cached = plain.clone().answers(&[304]);
        assert!(!plain.is_answer(StatusCode::NOT_MODIFIED));
        assert!(cached.is_answer(StatusCode::NOT_MODIFIED));
        assert!(cached.is_answer(StatusCode::OK) && !cached.is_answer(StatusCode::NOT_FOUND));
    }

    #[test]
    fn a_rule_comes_before_the_default_and_may_ask_for_a_code() {
        static RULES: &[StatusRule] = &[
            StatusRule::new(403, Some("invalid_request"), ErrorKind::Credential),
            StatusRule::new(404, None, ErrorKind::Config),
        ];
        let operation = Operation::new("s.o", Method::GET, "/o").status_rules(RULES);
        assert_eq!(
            operation.kind_of(StatusCode::FORBIDDEN, None),
            ErrorKind::Forbidden
        );
        assert_eq!(
            operation.kind_of(StatusCode::FORBIDDEN, Some("invalid_request")),
            ErrorKind::Credential
        );
        assert_eq!(
            operation.kind_of(StatusCode::NOT_FOUND, Some("x")),
            ErrorKind::Config
        );
        assert_eq!(
            operation.kind_of(StatusCode::BAD_GATEWAY, None),
            ErrorKind::Status
        );
    }
}

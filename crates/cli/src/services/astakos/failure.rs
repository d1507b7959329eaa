//! Failures of the Astakos client, and hints about them.

use vouchsafe::astakos;

use crate::failure::Failure;

impl From<astakos::Error> for Failure {
    fn from(error: astakos::Error) -> Self {
        let failure = Self::from(error.core().clone())
            .warned_of_doubling(error.core(), astakos::mock::operations());
        let (kind, hint) = match error.kind() {
            astakos::ErrorKind::QuotaLimit => {
                return failure.kind("quota_limit").without_hint();
            }
            astakos::ErrorKind::Unsupported => {
                return failure.kind("unsupported");
            }
            astakos::ErrorKind::Unauthorized => (
                "credential",
                "the token is unknown or expired, or belongs to a user where a service's is needed, \
                 or to a service where a user's is",
            ),
            astakos::ErrorKind::Forbidden => (
                "forbidden",
                "the user of the token may not do this, only the owner or an administrator",
            ),
            astakos::ErrorKind::NoEndpoints => (
                "no_endpoints",
                "does --auth-url lead to the identity part, such as \
                 https://HOST/astakos/identity/v2.0?",
            ),
            _ => return failure,
        };
        failure.kind(kind).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use vouchsafe::core::{self, Sent};

    use super::*;

    #[test]
    fn another_try_is_not_advised_where_it_could_double() {
        let line = |kind, operation, status: Option<u16>, sent| {
            let error = core::Error::new(kind, "planted")
                .with_operation(operation)
                .with_sent(sent)
                .with_retryable(true);
            let error = match status {
                Some(status) => error.with_status(StatusCode::from_u16(status).unwrap()),
                None => error,
            };
            Failure::from(astakos::Error::from(error)).to_string()
        };
        let (status, throttled) = (core::ErrorKind::Status, core::ErrorKind::Throttled);
        let transport = core::ErrorKind::Transport;
        let (once, safe) = ("account.issueCommission", "account.getQuotas");
        for text in [
            line(throttled, once, Some(429), Sent::Maybe),
            line(status, once, Some(503), Sent::Maybe),
            line(transport, once, None, Sent::Maybe),
        ] {
            assert!(text.contains("check before you try again"), "{text}");
        }
        for text in [
            line(status, safe, Some(503), Sent::Maybe),
            line(transport, once, None, Sent::No),
        ] {
            assert!(text.ends_with("; try again later"), "{text}");
        }
    }
}

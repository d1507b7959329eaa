//! What the errors of Astakos come to, and what to do about them.

use vouchsafe::astakos;

use crate::failure::Failure;

impl From<astakos::Error> for Failure {
    fn from(error: astakos::Error) -> Self {
        let failure = Self::from(error.core().clone());
        let (kind, hint) = match error.kind() {
            astakos::ErrorKind::QuotaLimit => {
                return failure.kind("quota_limit").without_hint();
            }
            astakos::ErrorKind::Unsupported => (
                "unsupported",
                "--dialect says which generation the server is, --detect asks it",
            ),
            astakos::ErrorKind::Unauthorized => (
                "credential",
                "the token is unknown or expired, or of a user where a service's is wanted, or \
                 the other way round",
            ),
            astakos::ErrorKind::Forbidden => (
                "forbidden",
                "the user of the token may not do this: owner or administrator may",
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

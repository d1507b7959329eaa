//! Failures of the client of wazo-auth, and hints about them.

use vouchsafe::core;
use vouchsafe::wazo_auth::{self, ErrorKind};

use crate::failure::Failure;

impl From<wazo_auth::Error> for Failure {
    fn from(error: wazo_auth::Error) -> Self {
        let failure = Self::from(error.core().clone())
            .warned_of_doubling(error.core(), wazo_auth::mock::operations());
        let (kind, hint) = match error.kind() {
            ErrorKind::LoginFailed => ("login", LOGIN_HINT),
            ErrorKind::InvalidToken => (
                "credential",
                "the token is unknown or expired: run vouchsafe wazo token create",
            ),
            ErrorKind::MissingAccess => {
                let hint = match error.body().required_access() {
                    Some(access) => format!("the token's policies must cover {access}"),
                    None => "the token is unknown, or its policies do not cover it".to_owned(),
                };
                return failure.kind("forbidden").hint(hint);
            }
            ErrorKind::HiddenTenant => (
                "hidden_tenant",
                "the token may act for its user's tenant and those below it",
            ),
            ErrorKind::TooManySessions => (
                "too_many_sessions",
                "end some: vouchsafe wazo sessions list --user NAME, then sessions delete",
            ),
            ErrorKind::PasswordManagedElsewhere => (
                "password_managed_elsewhere",
                "change it in the system that has it, such as LDAP",
            ),
            ErrorKind::Core(core::ErrorKind::Conflict) if error.status().is_none() => {
                return failure.hint("run it again");
            }
            _ => return failure,
        };
        failure.kind(kind).hint(hint)
    }
}

pub(super) const LOGIN_HINT: &str = "\
    the service does not say why: a wrong name or password, a disabled user, or one who logs in by \
    another method";

//! Failures of the clients of an installation, and hints about them.

use vouchsafe::{core, userinfo};

use crate::failure::Failure;

impl From<userinfo::Error> for Failure {
    fn from(error: userinfo::Error) -> Self {
        let failure = Self::from(error.core().clone())
            .warned_of_doubling(error.core(), userinfo::mock::operations());
        if error.core().kind() == core::ErrorKind::Forbidden {
            return failure.hint(scope_wanted(error.core().operation()));
        }
        let (kind, hint) = match error.kind() {
            userinfo::ErrorKind::ServiceNotFound => (
                "service_not_found",
                "does --repertoire-url name the right installation?",
            ),
            userinfo::ErrorKind::NoDirectory => (
                "no_directory",
                "this installation has no user directory: use whoami with the user's own token",
            ),
            userinfo::ErrorKind::UserInfoFailed => (
                "user_info_failed",
                "the installation's user directory is down: try again later",
            ),
            userinfo::ErrorKind::Discovery(_) => {
                let what = "service discovery failed: does --repertoire-url lead to Repertoire?";
                return failure.kind("discovery").hint_unless_given(what);
            }
            _ => return failure,
        };
        failure.kind(kind).hint(hint)
    }
}

/// The hint for a refusal of an installation, by server and reason.
fn scope_wanted(operation: Option<&str>) -> &'static str {
    match operation.and_then(|operation| operation.split_once('.')) {
        Some(("gafaelfawr", "getUserInfo" | "listUsers" | "listGroups")) => {
            "use a token with the scope admin:userinfo"
        }
        Some(("gafaelfawr", "createToken")) => "use a token with the scope admin:token",
        Some(("gafaelfawr", "createUserToken")) => "use a token with the scope user:token",
        Some(("repertoire", _)) => {
            "the ingress in front of Repertoire wants a scope that this token lacks: ask the \
             operators of the installation for which"
        }
        _ => "use a token with the required scope",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_try_is_not_advised_where_it_could_double() {
        let error = core::Error::new(core::ErrorKind::Transport, "planted")
            .with_operation("gafaelfawr.createToken")
            .with_sent(core::Sent::Maybe)
            .with_retryable(true);
        let line = Failure::from(userinfo::Error::from(error)).to_string();
        assert!(line.contains("check before you try again"), "{line}");
    }

    #[test]
    fn a_scope_is_advised_by_the_service_that_wants_it() {
        let advice = |operation| {
            let error = core::Error::new(core::ErrorKind::Forbidden, "no");
            let error = error.with_operation(operation);
            Failure::from(userinfo::Error::from(error)).to_string()
        };
        assert!(advice("gafaelfawr.listUsers").contains("admin:userinfo"));
        assert!(advice("gafaelfawr.createToken").contains("admin:token"));
        let ingress = advice("repertoire.getInfluxdb");
        assert!(ingress.contains("the ingress"), "{ingress}");
        assert!(!ingress.contains("admin:"), "{ingress}");
    }
}

//! The check that the ingress makes before it forwards a request (protocol section 6): scopes,
//! limits, rates and delegation. Its parameters are parsed in `gafaelfawr.rs`.

use std::collections::BTreeSet;

use super::rate::Rate;
use super::refusal::Refusal;
use super::state::State;
use super::tokens::{Delegation, Record};
use crate::Token;

/// What a protected service requires from the ingress.
#[derive(Clone, Debug, Default)]
pub(super) struct Check {
    pub(super) scopes: BTreeSet<String>,
    pub(super) satisfy: Satisfy,
    pub(super) service: Option<String>,
    pub(super) delegation: Option<Delegation>,
    /// The minimum remaining lifetime of the token in seconds.
    pub(super) minimum_lifetime: Option<i64>,
    pub(super) only_services: BTreeSet<String>,
    pub(super) username: Option<String>,
    /// The user whose own host was requested, if only that user may access it.
    pub(super) user_domain: Option<String>,
}

/// How many of the scopes are required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Satisfy {
    #[default]
    All,
    Any,
}

/// An accepted request, and the information that the service gets.
#[derive(Debug)]
pub(super) struct Passed {
    pub(super) username: String,
    pub(super) email: Option<String>,
    pub(super) service: Option<String>,
    pub(super) delegated: Option<Token>,
    pub(super) rate: Option<Rate>,
}

impl State {
    /// Accepts or refuses a request. The caller's token has already been verified.
    pub(super) fn check(
        &mut self,
        caller: &Record,
        check: &Check,
        now: i64,
    ) -> Result<Passed, Refusal> {
        let left = caller.expires.map(|end| end.saturating_sub(now));
        if let (Some(left), Some(minimum)) = (left, check.minimum_lifetime)
            && left < minimum
        {
            let msg = "Remaining token lifetime too short".to_owned();
            return Err(Refusal::InvalidToken(msg));
        }
        if !check.is_satisfied_by(caller) {
            return Err(Refusal::InsufficientScope {
                msg: "Token missing required scope".to_owned(),
                scopes: check.scopes.iter().cloned().collect(),
            });
        }
        let is_for = |wanted: &String| *wanted == caller.username;
        let wanted = [&check.username, &check.user_domain];
        if !wanted.into_iter().flatten().all(is_for) {
            return Err(Refusal::not_for("Access not allowed for this user"));
        }
        let is_from = |service: &String| check.only_services.contains(service);
        if !check.only_services.is_empty() && !caller.service.as_ref().is_some_and(is_from) {
            return Err(Refusal::not_for("Access not allowed for this user"));
        }
        let info = self.own_info(caller)?;
        let service = check.service.as_deref();
        let limit = service.and_then(|service| {
            let limit = info.quota.limits()?.api.get(service)?;
            Some((service, *limit))
        });
        let username = &caller.username;
        let rate = match limit {
            None => None,
            Some((service, limit)) if limit <= 0 => {
                return Err(Refusal::not_for(format!(
                    "User {username} not allowed to access service {service}"
                )));
            }
            Some((service, limit)) => Some(
                self.windows
                    .hit(service, username, limit, now)
                    .map_err(Refusal::RateLimited)?,
            ),
        };
        let delegated = check.delegation.as_ref().map(|purpose| {
            let minimum = check.minimum_lifetime.unwrap_or_default();
            self.tokens.delegate(caller, purpose, minimum, now)
        });
        Ok(Passed {
            username: caller.username.clone(),
            email: info.data.email,
            service: caller.service.clone(),
            delegated,
            rate,
        })
    }
}

impl Check {
    fn is_satisfied_by(&self, caller: &Record) -> bool {
        let mut wanted = self.scopes.iter();
        match self.satisfy {
            Satisfy::All => wanted.all(|scope| caller.has_scope(scope)),
            Satisfy::Any => wanted.any(|scope| caller.has_scope(scope)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::TokenKind;
    use super::*;

    fn world() -> (State, Record) {
        let mut state = State::default();
        let rules = r#"{"default": {"api": {"slow": 1, "shut": 0}}}"#;
        state.quota = Some(serde_json::from_str(rules).unwrap());
        let caller = Record {
            token: Token::random(),
            kind: TokenKind::User,
            username: "kim".to_owned(),
            scopes: ["a", "b"].map(str::to_owned).into(),
            created: 0,
            expires: Some(1000),
            token_name: None,
            service: None,
            parent: None,
            data: super::super::directory::UserData::default(),
        };
        state.tokens.insert(caller.clone());
        (state, caller)
    }

    fn set(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn told(result: Result<Passed, Refusal>) -> String {
        match result {
            Ok(_) => "passed".to_owned(),
            Err(Refusal::InsufficientScope { msg, scopes }) => format!("{msg} {scopes:?}"),
            Err(Refusal::InvalidToken(msg)) => msg,
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn scopes_are_needed_all_or_any() {
        let (mut state, caller) = world();
        let mut ask = |scopes: &[&str], satisfy| {
            let check = Check {
                scopes: set(scopes),
                satisfy,
                ..Check::default()
            };
            told(state.check(&caller, &check, 0))
        };
        assert_eq!(ask(&["a", "b"], Satisfy::All), "passed");
        assert_eq!(ask(&["x", "b"], Satisfy::Any), "passed");
        assert_eq!(ask(&[], Satisfy::All), "passed");
        let missing = r#"Token missing required scope ["a", "x"]"#;
        assert_eq!(ask(&["x", "a"], Satisfy::All), missing);
        assert!(ask(&["x"], Satisfy::Any).starts_with("Token missing"));
    }

    #[test]
    fn a_token_must_live_long_enough_before_its_scopes_count() {
        let (mut state, caller) = world();
        let check = Check {
            minimum_lifetime: Some(300),
            scopes: set(&["x"]),
            ..Check::default()
        };
        assert!(told(state.check(&caller, &check, 701)).contains("too short"));
        assert!(told(state.check(&caller, &check, 700)).contains("scope"));
    }

    #[test]
    fn users_and_services_can_be_named() {
        let (mut state, mut caller) = world();
        let for_user = |name: &str| Check {
            username: Some(name.to_owned()),
            ..Check::default()
        };
        assert_eq!(told(state.check(&caller, &for_user("kim"), 0)), "passed");
        assert!(told(state.check(&caller, &for_user("lee"), 0)).contains("this user"));
        let check = Check {
            only_services: set(&["app"]),
            ..Check::default()
        };
        assert!(told(state.check(&caller, &check, 0)).contains("this user"));
        caller.service = Some("app".to_owned());
        assert_eq!(told(state.check(&caller, &check, 0)), "passed");
    }

    #[test]
    fn a_window_opens_with_its_first_request_and_lasts_a_minute() {
        let (mut state, caller) = world();
        let check = Check {
            service: Some("slow".to_owned()),
            delegation: Some(Delegation::Notebook),
            ..Check::default()
        };
        let rate = |used, reset| Rate {
            limit: 1,
            used,
            reset,
            service: "slow".to_owned(),
        };
        let passed = state.check(&caller, &check, 7).unwrap();
        assert_eq!(passed.rate, Some(rate(1, 67)));
        let refused = state.check(&caller, &check, 66).unwrap_err();
        assert!(matches!(refused, Refusal::RateLimited(found) if found == rate(1, 67)));
        let passed = state.check(&caller, &check, 67).unwrap();
        assert_eq!(passed.rate, Some(rate(1, 127)));
    }

    #[test]
    fn a_limit_of_zero_shuts_and_an_unknown_service_has_none() {
        let (mut state, caller) = world();
        let ask = |service: &str| Check {
            service: Some(service.to_owned()),
            ..Check::default()
        };
        let refused = told(state.check(&caller, &ask("shut"), 0));
        assert_eq!(refused, "User kim not allowed to access service shut []");
        assert_eq!(state.check(&caller, &ask("other"), 0).unwrap().rate, None);
    }
}

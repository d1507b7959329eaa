//! The contexts with which a client checks tickets, made from one key container.

use crate::engine::check::{ServiceContext, UserContext};
use crate::engine::container::KeyContainer;
use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::error::{Error, ErrorKind, Result};

/// Which tickets are checked, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    /// `None` if service tickets are not checked.
    pub(crate) service: Option<Accepted>,
    /// `None` if user tickets are not checked.
    pub(crate) user: Option<BlackboxEnv>,
    pub(crate) cache: Option<usize>,
}

/// The accepted destinations of service tickets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) own_id: TvmId,
    pub(crate) also_for: Vec<TvmId>,
    pub(crate) any: bool,
}

/// The contexts; never modified, only replaced as a whole.
#[derive(Debug)]
pub(crate) struct Keys {
    text: String,
    wanted: Wanted,
    service: Option<ServiceContext>,
    /// In the order of [`BlackboxEnv::ALL`]; empty if user tickets are not checked.
    users: Vec<UserContext>,
}

impl Keys {
    /// Creates the contexts.
    ///
    /// Keys are required only for the configured checks. A check of another environment, which a
    /// caller may request, then reports that there are no keys.
    pub(crate) fn new(text: &str, wanted: Wanted) -> Result<Self> {
        let container = KeyContainer::parse(text)?;
        let empty = |what: &str| {
            let has_keys = |env: &BlackboxEnv| {
                UserContext::new(*env, &container)
                    .is_ok_and(|context| context.key_ids().next().is_some())
            };
            let found = BlackboxEnv::ALL.into_iter().filter(has_keys);
            let found: Vec<_> = found.map(|env| env.to_string()).collect();
            let message = format!(
                "Empty TVM keys: none for {what}. There are keys for users of: {}",
                match found.is_empty() {
                    true => "no environment".to_owned(),
                    false => found.join(", "),
                }
            );
            Err(Error::new(ErrorKind::EmptyKeys, message))
        };
        let service = match &wanted.service {
            None => None,
            Some(accepted) => {
                let context = if accepted.any {
                    ServiceContext::for_any_destination(&container)?
                } else {
                    ServiceContext::new(accepted.own_id, &container)?
                        .also_for(accepted.also_for.iter().copied())
                };
                if context.key_ids().next().is_none() {
                    return empty("service tickets");
                }
                Some(match wanted.cache {
                    Some(tickets) => context.cache_capacity(tickets),
                    None => context,
                })
            }
        };
        let mut users = Vec::new();
        if let Some(own) = wanted.user {
            for env in BlackboxEnv::ALL {
                let context = UserContext::new(env, &container)?;
                if env == own && context.key_ids().next().is_none() {
                    return empty(&format!("user tickets of {env}"));
                }
                users.push(match wanted.cache {
                    Some(tickets) => context.cache_capacity(tickets),
                    None => context,
                });
            }
        }
        Ok(Self {
            text: text.to_owned(),
            wanted,
            service,
            users,
        })
    }

    /// Returns whether new contexts would be equal to these, which then stay together with the
    /// tickets that they remember.
    pub(crate) fn are_of(&self, text: &str, wanted: &Wanted) -> bool {
        self.text == text && self.wanted == *wanted
    }

    pub(crate) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(crate) fn service(&self) -> Option<&ServiceContext> {
        self.service.as_ref()
    }

    pub(crate) fn user(&self, env: BlackboxEnv) -> Option<&UserContext> {
        self.users.get(env.number() as usize)
    }

    /// The environment of user tickets if the caller specifies none.
    pub(crate) fn own_env(&self) -> Option<BlackboxEnv> {
        self.wanted.user
    }
}

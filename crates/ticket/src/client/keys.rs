//! The contexts that a client checks tickets with, made of one key container.

use crate::check::{ServiceContext, UserContext};
use crate::container::KeyContainer;
use crate::env::BlackboxEnv;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::TvmId;

/// What tickets are checked against.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Wanted {
    /// `None`: service tickets are not checked.
    pub(crate) service: Option<Accepted>,
    /// `None`: user tickets are not checked.
    pub(crate) user: Option<BlackboxEnv>,
    pub(crate) cache: Option<usize>,
}

/// Whom service tickets may be for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Accepted {
    pub(crate) own_id: TvmId,
    pub(crate) also_for: Vec<TvmId>,
    pub(crate) any: bool,
}

/// The contexts; never changed, only replaced as a whole.
#[derive(Debug)]
pub(crate) struct Keys {
    text: String,
    wanted: Wanted,
    service: Option<ServiceContext>,
    /// In the order of [`BlackboxEnv::ALL`]; empty if user tickets are not checked.
    users: Vec<UserContext>,
}

impl Keys {
    /// Makes the contexts.
    ///
    /// Only what the settings ask for must have keys; checks of another environment, which a
    /// caller may ask for, then say that there are none.
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

    /// Whether these are the contexts that would come out again: then they stay, with what they
    /// remember.
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

    /// The environment that user tickets are checked in when none is named.
    pub(crate) fn own_env(&self) -> Option<BlackboxEnv> {
        self.wanted.user
    }
}

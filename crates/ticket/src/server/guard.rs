//! Rules on checked tickets that decide whether a caller is admitted. The caller has already been
//! identified by the layer in `layer.rs`.

use std::sync::Arc;

use bytes::Bytes;
use http::{Extensions, Request, Response};
use tower_layer::Layer;
use vouchsafe_core::server::{Check, CheckService};

use super::tickets::{Tickets, any_of};
use super::{Refusal, RefusalKind, ServiceRoles, ServiceTicket, UserRoles, UserTicket};
use crate::engine::ids::TvmId;
use crate::engine::text::TicketType;

/// Admits requests by the contents of their checked tickets: a tower layer for single routes inside
/// a [`TicketLayer`](super::TicketLayer), which accepts the same rules for all of its routes.
///
/// All rules must hold. If a rule concerns a ticket that the request does not have, the answer is
/// 401. Even without rules, a guard refuses requests that no layer has checked.
///
/// | condition | answer |
/// | --- | --- |
/// | the calling service is not among the allowed ones | 403 `source_not_allowed` |
/// | it, or the default user, does not have the role | 403 `service_role_missing`, `user_role_missing` |
/// | the ticket does not have the scope | 403 `service_scope_missing`, `user_scope_missing` |
/// | the ticket is missing | 401 `service_ticket_missing`, `user_ticket_missing` |
/// | no roles are available | 503 `tickets_unjudged` |
/// | users of the ticket's environment have no roles | 500 `roles_of_other_env` |
/// | no layer has checked this ticket, or any ticket | 500 `layer_missing` |
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Guard {
    pub(super) sources: Option<Vec<TvmId>>,
    pub(super) rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
pub(super) enum Rule {
    AnyRole(TicketType, Vec<String>),
    AnyScope(TicketType, Vec<String>),
}

/// The setters of rules, for a guard and for a layer that contains one.
macro_rules! rules {
    () => {
        /// Admits only requests of these services, in addition to those of earlier calls. With an
        /// empty list, no request is admitted.
        #[doc(alias = "src")]
        pub fn allow_sources(mut self, ids: impl IntoIterator<Item = TvmId>) -> Self {
            self.guard().sources.get_or_insert_default().extend(ids);
            self
        }

        /// Admits only services that have the role, for any entity or none.
        #[doc(alias = "require_role")]
        pub fn require_service_role(self, role: impl Into<String>) -> Self {
            self.require_any_service_role([role])
        }

        /// Admits only services that have at least one of these roles. With an empty list, none are
        /// admitted.
        pub fn require_any_service_role(
            self,
            roles: impl IntoIterator<Item = impl Into<String>>,
        ) -> Self {
            let names = roles.into_iter().map(Into::into).collect();
            self.rule(Rule::AnyRole(TicketType::Service, names))
        }

        /// Admits only requests for a default user that has the role, for any entity or none.
        #[doc(alias = "require_role")]
        pub fn require_user_role(self, role: impl Into<String>) -> Self {
            self.require_any_user_role([role])
        }

        /// Admits only requests for a default user that has at least one of these roles. With an
        /// empty list, no request is admitted.
        pub fn require_any_user_role(
            self,
            roles: impl IntoIterator<Item = impl Into<String>>,
        ) -> Self {
            let names = roles.into_iter().map(Into::into).collect();
            self.rule(Rule::AnyRole(TicketType::User, names))
        }

        /// Admits only requests whose service ticket has the scope.
        pub fn require_service_scope(self, scope: impl Into<String>) -> Self {
            self.rule(Rule::AnyScope(TicketType::Service, vec![scope.into()]))
        }

        /// Admits only requests whose user ticket has the scope.
        pub fn require_user_scope(self, scope: impl Into<String>) -> Self {
            self.require_any_user_scope([scope])
        }

        /// Admits only requests whose user ticket has at least one of these scopes. With an empty
        /// list, no request is admitted.
        pub fn require_any_user_scope(
            self,
            scopes: impl IntoIterator<Item = impl Into<String>>,
        ) -> Self {
            let names = scopes.into_iter().map(Into::into).collect();
            self.rule(Rule::AnyScope(TicketType::User, names))
        }

        fn rule(mut self, rule: Rule) -> Self {
            self.guard().rules.push(rule);
            self
        }
    };
}
pub(super) use rules;

impl Guard {
    /// Creates a guard that admits every request that a layer has checked, and no other.
    pub fn new() -> Self {
        Self::default()
    }

    rules!();

    /// Returns whether a request is admitted, by the tickets in its extensions.
    ///
    /// # Errors
    ///
    /// See the table above. The refusal has already been logged.
    pub fn check(&self, extensions: &Extensions) -> Result<(), Refusal> {
        Tickets::require_layer(extensions)?;
        self.check_rules(extensions)
    }

    /// Checks only the rules, for a layer that has just checked the tickets itself.
    pub(super) fn check_rules(&self, extensions: &Extensions) -> Result<(), Refusal> {
        if let Some(sources) = &self.sources {
            let src = ServiceTicket::of(extensions)?.src();
            if !sources.contains(&src) {
                let message = format!("The service {src} may not call this");
                return Err(Refusal::new(RefusalKind::SourceNotAllowed, message).logged());
            }
        }
        self.rules
            .iter()
            .try_for_each(|rule| rule.check(extensions))
    }

    fn guard(&mut self) -> &mut Self {
        self
    }
}

impl Rule {
    fn check(&self, extensions: &Extensions) -> Result<(), Refusal> {
        match self {
            Self::AnyRole(TicketType::Service, roles) => {
                ServiceRoles::of(extensions)?.require_any(roles)
            }
            Self::AnyRole(TicketType::User, roles) => UserRoles::of(extensions)?.require_any(roles),
            Self::AnyScope(ticket_type, scopes) => {
                let has: &dyn Fn(&String) -> bool = match ticket_type {
                    TicketType::Service => {
                        let ticket = ServiceTicket::of(extensions)?;
                        &|scope| ticket.has_scope(scope)
                    }
                    TicketType::User => {
                        let ticket = UserTicket::of(extensions)?;
                        &|scope| ticket.has_scope(scope)
                    }
                };
                if scopes.iter().any(has) {
                    return Ok(());
                }
                let message = format!("Only for tickets with the scope {}", any_of(scopes));
                Err(Refusal::new(RefusalKind::NoScope(*ticket_type), message).logged())
            }
        }
    }
}

impl Check for Guard {
    fn check<A, B: From<Bytes>>(&self, request: &mut Request<A>) -> Result<(), Response<B>> {
        self.check(request.extensions())
            .map_err(|refusal| refusal.to_response())
    }
}

impl<S> Layer<S> for Guard {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> GuardService<S> {
        GuardService::new(inner, Arc::new(self.clone()))
    }
}

/// A service behind a [`Guard`].
pub type GuardService<S> = CheckService<S, Guard>;

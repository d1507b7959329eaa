//! Commissions and their provisions.

use serde::{Deserialize, Serialize};

use super::{Fault, Holder, Serial};
use crate::generated::account::wire::CommissionRequest;

/// A quantity of a resource for a holder from a source.
///
/// A user's provision names the project it comes from; a project's own has no source (protocol
/// section 7.5). Positive quantities charge, negative ones release.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the protocol has these four")]
pub struct Provision {
    /// The holder that is charged.
    pub holder: Holder,
    /// The project it comes from; `None` if the holder is a project.
    pub source: Option<Holder>,
    /// The resource, such as `cyclades.vm`.
    pub resource: String,
    /// The amount, in the unit of the resource.
    pub quantity: i64,
}

impl Provision {
    /// Charges a user for a quantity from a project. The project's own counter is separate: see
    /// [`CommissionRequest::one`].
    pub fn of_user(
        user: impl Into<String>,
        project: impl Into<String>,
        resource: impl Into<String>,
        quantity: i64,
    ) -> Self {
        Self {
            holder: Holder::user(user),
            source: Some(Holder::project(project)),
            resource: resource.into(),
            quantity,
        }
    }

    /// Whether its holders have the form for servers since 0.16.
    pub(crate) fn is_prefixed(&self) -> bool {
        let mut holders = [Some(&self.holder), self.source.as_ref()]
            .into_iter()
            .flatten();
        holders.any(|holder| !matches!(holder, Holder::Bare(_)))
    }

    /// Charges a project.
    pub fn of_project(
        project: impl Into<String>,
        resource: impl Into<String>,
        quantity: i64,
    ) -> Self {
        Self {
            holder: Holder::project(project),
            source: None,
            resource: resource.into(),
            quantity,
        }
    }
}

impl CommissionRequest {
    /// Creates a request with these provisions, and the server's defaults for name, force and
    /// acceptance.
    #[doc(alias = "issue_commission")]
    pub fn raw(provisions: impl IntoIterator<Item = Provision>) -> Self {
        Self {
            provisions: provisions.into_iter().collect(),
            name: None,
            force: None,
            auto_accept: None,
        }
    }

    /// Charges a user, and for each quantity also the project that it comes from. Items are
    /// project, resource and quantity.
    #[doc(alias = "issue_one_commission")]
    pub fn one<P, R>(user: &str, entries: impl IntoIterator<Item = (P, R, i64)>) -> Self
    where
        P: AsRef<str>,
        R: AsRef<str>,
    {
        let provisions = entries
            .into_iter()
            .flat_map(|(project, resource, quantity)| {
                pair(user, project.as_ref(), resource.as_ref(), quantity)
            })
            .collect();
        Self::complete(provisions)
    }

    /// Moves a user's quantities from one project to another. Items are the old project, the new
    /// one, resource and quantity.
    #[doc(alias = "issue_resource_reassignment")]
    pub fn reassignment<P, Q, R>(
        user: &str,
        entries: impl IntoIterator<Item = (P, Q, R, i64)>,
    ) -> Self
    where
        P: AsRef<str>,
        Q: AsRef<str>,
        R: AsRef<str>,
    {
        let provisions = entries
            .into_iter()
            .flat_map(|(from, to, resource, quantity)| {
                let resource = resource.as_ref();
                // A quantity that cannot be negated cannot be moved; the server refuses it by its
                // own rules.
                let taken = pair(user, from.as_ref(), resource, quantity.saturating_neg());
                let given = pair(user, to.as_ref(), resource, quantity);
                taken.into_iter().chain(given)
            })
            .collect();
        Self::complete(provisions)
    }

    /// Charges exactly these users and projects. Items are user, project, resource and quantity,
    /// and project, resource and quantity.
    #[doc(alias = "issue_commission_generic")]
    pub fn generic<U, P, R>(
        users: impl IntoIterator<Item = (U, P, R, i64)>,
        projects: impl IntoIterator<Item = (P, R, i64)>,
    ) -> Self
    where
        U: AsRef<str>,
        P: AsRef<str>,
        R: AsRef<str>,
    {
        let users = users
            .into_iter()
            .map(|(user, project, resource, quantity)| {
                Provision::of_user(user.as_ref(), project.as_ref(), resource.as_ref(), quantity)
            });
        let projects = projects.into_iter().map(|(project, resource, quantity)| {
            Provision::of_project(project.as_ref(), resource.as_ref(), quantity)
        });
        Self::complete(users.chain(projects).collect())
    }

    /// Charges a holder without prefix, for servers up to 0.15. Items are resource and quantity.
    /// Later servers have no such holding and answer "not found".
    pub fn one_legacy<R: AsRef<str>>(
        holder: &str,
        source: &str,
        entries: impl IntoIterator<Item = (R, i64)>,
    ) -> Self {
        let provisions = entries
            .into_iter()
            .map(|(resource, quantity)| Provision {
                holder: Holder::Bare(holder.to_owned()),
                source: Some(Holder::Bare(source.to_owned())),
                resource: resource.as_ref().to_owned(),
                quantity,
            })
            .collect();
        Self::complete(provisions)
    }

    fn complete(provisions: Vec<Provision>) -> Self {
        Self {
            provisions,
            name: Some(String::new()),
            force: Some(false),
            auto_accept: Some(false),
        }
    }
}

/// A user's provision and the corresponding one of the project.
fn pair(user: &str, project: &str, resource: &str, quantity: i64) -> [Provision; 2] {
    [
        Provision::of_user(user, project, resource, quantity),
        Provision::of_project(project, resource, quantity),
    ]
}

/// The outcome for commissions that were to be resolved, in no particular order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resolution {
    /// Accepted.
    pub accepted: Vec<Serial>,
    /// Rejected.
    pub rejected: Vec<Serial>,
    /// No longer pending when the call was repeated because an answer was lost: as far as can be
    /// known, the earlier attempt resolved them as requested. Always empty if no earlier attempt
    /// left this machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Serial>,
    /// Not resolved: no longer pending, of another service, or in both lists.
    pub failed: Vec<Unresolved>,
}

impl Resolution {
    /// Returns whether the server says what became of a commission.
    pub(crate) fn tells_of(&self, serial: Serial) -> bool {
        let mut done = [&self.accepted, &self.rejected, &self.earlier]
            .into_iter()
            .flatten();
        done.any(|other| *other == serial) || self.failed.iter().any(|failed| failed.0 == serial)
    }

    /// Separates commissions that an earlier attempt may have resolved from failed ones.
    pub(crate) fn after_lost_attempt(mut self) -> Self {
        let is_gone = |failed: &Unresolved| failed.1.name == "itemNotFound";
        let (gone, failed) = self.failed.into_iter().partition(is_gone);
        self.failed = failed;
        let gone: Vec<Unresolved> = gone;
        self.earlier.extend(gone.into_iter().map(|gone| gone.0));
        self
    }
}

/// Which attempt accepted or rejected a commission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it was this try or another")]
pub enum Committed {
    /// This call.
    Now,
    /// An attempt whose answer was lost: at the next one, the commission was no longer pending.
    Earlier,
}

/// A commission that could not be resolved, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the protocol has these two, as a list"
)]
pub struct Unresolved(
    /// The commission.
    pub Serial,
    /// The reason: `itemNotFound` if it is not pending, `badRequest` if it was to be accepted
    /// and rejected.
    pub Fault,
);

//! What commissions are made of, and how they are formed.

use serde::{Deserialize, Serialize};

use super::{Holder, Serial};
use crate::error::Fault;
use crate::generated::account::wire::CommissionRequest;

/// A quantity of a resource for a holder from a source.
///
/// A user's provision names the project it comes from; a project's own has no source (protocol
/// section 7.5). Quantities above zero charge, those below zero release.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "the protocol has these four")]
pub struct Provision {
    /// The holder that is charged.
    pub holder: Holder,
    /// The project it comes from; none if the holder is a project.
    pub source: Option<Holder>,
    /// The resource, such as `cyclades.vm`.
    pub resource: String,
    /// How much, in the unit of the resource.
    pub quantity: i64,
}

impl Provision {
    /// Charges a user for what comes from a project. The project's own counter is apart: see
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

    /// Whether it has holders as servers from 0.16 know them.
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
    /// Takes provisions as they are, and says nothing of name, force and acceptance: for them
    /// the server's defaults hold.
    #[doc(alias = "issue_commission")]
    pub fn raw(provisions: impl IntoIterator<Item = Provision>) -> Self {
        Self {
            provisions: provisions.into_iter().collect(),
            name: None,
            force: None,
            auto_accept: None,
        }
    }

    /// Charges a user, and with each quantity the project that it comes from: items are project,
    /// resource and quantity.
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

    /// Moves what a user has from one project to another: items are the project it is taken
    /// from, the one it goes to, resource and quantity.
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
                // A quantity without a negative cannot be moved; the server refuses it by its
                // own rules.
                let taken = pair(user, from.as_ref(), resource, quantity.saturating_neg());
                let given = pair(user, to.as_ref(), resource, quantity);
                taken.into_iter().chain(given)
            })
            .collect();
        Self::complete(provisions)
    }

    /// Charges users and projects, and adds nothing: items are user, project, resource and
    /// quantity, and project, resource and quantity.
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

    /// Charges a holder without prefix, as servers up to 0.15 know them: items are resource and
    /// quantity. Later servers have no such holding and answer that it is not found.
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

/// A user's provision and the project's that goes with it.
fn pair(user: &str, project: &str, resource: &str, quantity: i64) -> [Provision; 2] {
    [
        Provision::of_user(user, project, resource, quantity),
        Provision::of_project(project, resource, quantity),
    ]
}

/// What became of commissions that were to be resolved, in no particular order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resolution {
    /// Accepted.
    pub accepted: Vec<Serial>,
    /// Rejected.
    pub rejected: Vec<Serial>,
    /// Not pending any more when the call was repeated because an answer was lost: by all that
    /// can be known, the earlier try resolved them as asked. Always empty if one request did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Serial>,
    /// Neither: not pending any more, of another service, or in both lists.
    pub failed: Vec<Unresolved>,
}

impl Resolution {
    /// Tells what an earlier try may have done from what failed.
    pub(crate) fn after(mut self, requests: u32) -> Self {
        if requests > 1 {
            let is_gone = |failed: &Unresolved| failed.1.name == "itemNotFound";
            let (gone, failed) = self.failed.into_iter().partition(is_gone);
            self.failed = failed;
            let gone: Vec<Unresolved> = gone;
            self.earlier.extend(gone.into_iter().map(|gone| gone.0));
        }
        self
    }
}

/// How a commission came to be accepted or rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it was this try or another")]
pub enum Committed {
    /// By this call.
    Now,
    /// By a try whose answer was lost: the commission was not pending any more at the next.
    Earlier,
}

/// A commission that was to be resolved and was not, and why.
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

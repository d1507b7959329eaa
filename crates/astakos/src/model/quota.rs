//! Limits, usage, and whether a commission fits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Holder, Limit, Provision};
use crate::error::{LimitName, QuotaLimit};

/// A user's quota of a resource in a project.
///
/// `usage` includes the reservations of pending commissions; `pending` is the part that is not
/// certain yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Wire", from = "Wire")]
#[non_exhaustive]
pub struct Quota {
    /// The amount that is used or reserved, in the unit of the resource.
    pub usage: i64,
    /// The limit.
    pub limit: Limit,
    /// How much of `usage` depends on pending commissions.
    pub pending: i64,
    /// The usage of the whole project; `None` on servers up to 0.15.
    pub project: Option<ProjectQuota>,
}

/// The quota of a project as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProjectQuota {
    /// The amount that is used or reserved, in the unit of the resource.
    #[serde(rename = "project_usage")]
    pub usage: i64,
    /// The limit.
    #[serde(rename = "project_limit")]
    pub limit: Limit,
    /// How much of `usage` depends on pending commissions.
    #[serde(rename = "project_pending")]
    pub pending: i64,
}

/// The wire format, without nesting. (Flattening would first store every key in a tree.)
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Wire {
    usage: i64,
    limit: Limit,
    pending: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project_usage: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project_limit: Option<Limit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project_pending: Option<i64>,
}

impl From<Wire> for Quota {
    fn from(wire: Wire) -> Self {
        let project = match (wire.project_usage, wire.project_limit) {
            (Some(usage), Some(limit)) => Some(ProjectQuota {
                usage,
                limit,
                pending: wire.project_pending.unwrap_or_default(),
            }),
            _ => None,
        };
        Self {
            usage: wire.usage,
            limit: wire.limit,
            pending: wire.pending,
            project,
        }
    }
}

impl From<Quota> for Wire {
    fn from(quota: Quota) -> Self {
        Self {
            usage: quota.usage,
            limit: quota.limit,
            pending: quota.pending,
            project_usage: quota.project.map(|project| project.usage),
            project_limit: quota.project.map(|project| project.limit),
            project_pending: quota.project.map(|project| project.pending),
        }
    }
}

impl ProjectQuota {
    /// Creates the quota of a project.
    #[must_use]
    pub fn new(usage: i64, limit: Limit, pending: i64) -> Self {
        Self {
            usage,
            limit,
            pending,
        }
    }

    /// Returns how much more the project may use.
    #[must_use]
    pub fn room(&self) -> Limit {
        self.limit.less(self.usage)
    }
}

impl Quota {
    /// Creates the quota of a user.
    #[must_use]
    pub fn new(usage: i64, limit: Limit, pending: i64, project: Option<ProjectQuota>) -> Self {
        Self {
            usage,
            limit,
            pending,
            project,
        }
    }

    /// Returns how much more the user may use: the lesser of the remainders of user and project
    /// (protocol section 7.4). Negative if a limit is exceeded.
    #[must_use]
    pub fn room(&self) -> Limit {
        let own = self.limit.less(self.usage);
        self.project.map_or(own, |project| own.min(project.room()))
    }
}

/// The quotas of a user: by project, then by resource. Servers up to 0.15 have one project, the
/// word `system`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserQuotas(BTreeMap<String, BTreeMap<String, Quota>>);

impl UserQuotas {
    /// Returns the user's quota of a resource in a project.
    #[must_use]
    pub fn get(&self, project: &str, resource: &str) -> Option<&Quota> {
        self.0.get(project)?.get(resource)
    }

    /// Returns how much more of a resource the user may use in a project; `None` if the user has no
    /// quota there.
    #[must_use]
    pub fn room(&self, project: &str, resource: &str) -> Option<Limit> {
        self.get(project, resource).map(Quota::room)
    }

    /// Returns the projects and the user's quotas in each.
    pub fn projects(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Quota>)> {
        self.0
            .iter()
            .map(|(id, resources)| (id.as_str(), resources))
    }

    /// Returns all quotas: project, resource, quota.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Quota)> {
        self.projects().flat_map(|(project, resources)| {
            let quotas = resources.iter();
            quotas.map(move |(resource, quota)| (project, resource.as_str(), quota))
        })
    }

    /// Returns whether there are no quotas.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Predicts the server's answer to a commission of these provisions, as far as these quotas
    /// allow. Nothing is sent.
    ///
    /// Provisions of the same holder, source and resource are summed, as the server does (protocol
    /// section 8). Charges must fit below the limits of user and project; releases must be used and
    /// not pending. Holders that are not in these quotas are treated as holders without holdings,
    /// and bare holders (up to 0.15) as this user.
    ///
    /// # Errors
    ///
    /// The first sum that does not fit, with the numbers.
    pub fn check(&self, user: &str, provisions: &[Provision]) -> Result<(), Box<QuotaLimit>> {
        let no = |name, sum, limit, usage| Box::new(QuotaLimit::new(name, sum, limit, usage));
        let mut sums: Vec<Provision> = Vec::new();
        for provision in provisions {
            let same = sums.iter_mut().find(|sum| {
                (&sum.holder, &sum.source, &sum.resource)
                    == (&provision.holder, &provision.source, &provision.resource)
            });
            match same {
                Some(sum) => sum.quantity = sum.quantity.saturating_add(provision.quantity),
                None => sums.push(provision.clone()),
            }
        }
        for sum in sums {
            let Some((usage, limit, pending)) = self.counters(user, &sum) else {
                return Err(no(LimitName::NoHolding, sum, Limit::Finite(0), 0));
            };
            if sum.quantity >= 0 && !limit.less(usage).has_room_for(sum.quantity) {
                return Err(no(LimitName::NoCapacity, sum, limit, usage));
            }
            let sure = usage.saturating_sub(pending);
            if sum.quantity < 0 && sure.saturating_add(sum.quantity) < 0 {
                return Err(no(LimitName::NoQuantity, sum, Limit::Finite(0), sure));
            }
        }
        Ok(())
    }

    /// Finds the usage, limit and pending amount of a provision's holding.
    fn counters(&self, user: &str, provision: &Provision) -> Option<(i64, Limit, i64)> {
        let own = |quota: &Quota| (quota.usage, quota.limit, quota.pending);
        match (&provision.holder, &provision.source) {
            (Holder::Project(project), None) => {
                let quota = self.get(project, &provision.resource)?.project?;
                Some((quota.usage, quota.limit, quota.pending))
            }
            (Holder::User(uuid) | Holder::Bare(uuid), Some(source)) if uuid == user => {
                self.get(source.id(), &provision.resource).map(own)
            }
            _ => None,
        }
    }
}

impl FromIterator<(String, BTreeMap<String, Quota>)> for UserQuotas {
    fn from_iter<I: IntoIterator<Item = (String, BTreeMap<String, Quota>)>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quotas() -> UserQuotas {
        serde_json::from_value(serde_json::json!({
            "p": {
                "vm": {
                    "usage": 3, "limit": 5, "pending": 1,
                    "project_usage": 9, "project_limit": 10, "project_pending": 0,
                },
                "disk": {"usage": 0, "limit": i64::MAX, "pending": 0},
            },
        }))
        .unwrap()
    }

    #[test]
    fn the_room_is_the_lesser_of_users_and_projects() {
        assert_eq!(quotas().room("p", "vm"), Some(Limit::Finite(1)));
        assert_eq!(quotas().room("p", "disk"), Some(Limit::Unlimited));
        assert_eq!(quotas().room("p", "ram"), None);
    }

    #[test]
    fn a_dry_run_sums_and_says_what_would_not_fit() {
        let quotas = quotas();
        let vm = |quantity| Provision::of_user("u", "p", "vm", quantity);
        assert_eq!(quotas.check("u", &[vm(2)]), Ok(()));
        let error = quotas.check("u", &[vm(2), vm(1)]).unwrap_err();
        assert_eq!(error.name, LimitName::NoCapacity);
        assert_eq!(
            (error.requested(), error.available()),
            (3, Limit::Finite(2))
        );
        // The project has less room than the user.
        let both = [vm(2), Provision::of_project("p", "vm", 2)];
        let error = quotas.check("u", &both).unwrap_err();
        assert_eq!(error.provision.holder, Holder::project("p"));
        // Of three, one is pending: two can be given back.
        assert_eq!(quotas.check("u", &[vm(-2)]), Ok(()));
        let error = quotas.check("u", &[vm(-3)]).unwrap_err();
        assert_eq!((error.name, error.usage), (LimitName::NoQuantity, 2));
        let stranger = Provision::of_user("other", "p", "vm", 1);
        assert_eq!(
            quotas.check("u", &[stranger]).unwrap_err().name,
            LimitName::NoHolding
        );
    }

    #[test]
    fn zero_is_refused_while_a_limit_is_passed() {
        let quotas: UserQuotas =
            serde_json::from_str(r#"{"p": {"vm": {"usage": 3, "limit": 2, "pending": 0}}}"#)
                .unwrap();
        assert!(
            quotas
                .check("u", &[Provision::of_user("u", "p", "vm", 0)])
                .is_err()
        );
    }

    #[test]
    fn what_the_wire_says_is_written_back() {
        let text = serde_json::to_value(quotas()).unwrap();
        assert_eq!(text["p"]["vm"]["project_limit"], 10);
        assert!(text["p"]["disk"].get("project_limit").is_none());
        assert_eq!(text["p"]["disk"]["limit"], i64::MAX);
    }
}

//! Projects, applications and memberships as data. The rules are in other files, as methods of the
//! state.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::dates;

/// The state of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProjectState {
    Uninitialized,
    Active,
    Suspended,
    Terminated,
    Deleted,
}

impl ProjectState {
    const ALL: [Self; 5] = [
        Self::Uninitialized,
        Self::Active,
        Self::Suspended,
        Self::Terminated,
        Self::Deleted,
    ];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == text)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Uninitialized => "uninitialized",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
            Self::Deleted => "deleted",
        }
    }

    pub(super) fn is_alive(self) -> bool {
        matches!(self, Self::Active | Self::Suspended)
    }

    /// Whether it was ever approved, so that it has holdings.
    pub(super) fn is_initialized(self) -> bool {
        !matches!(self, Self::Uninitialized | Self::Deleted)
    }
}

/// An operator's action on a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProjectAction {
    Suspend,
    Unsuspend,
    Terminate,
    Reinstate,
}

impl ProjectAction {
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("suspend", Self::Suspend),
        ("unsuspend", Self::Unsuspend),
        ("terminate", Self::Terminate),
        ("reinstate", Self::Reinstate),
    ];
}

/// A project.
#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) uuid: String,
    pub(super) state: ProjectState,
    pub(super) created: i64,
    /// The last time it was suspended or terminated.
    pub(super) deactivated: Option<i64>,
    pub(super) name: String,
    pub(super) owner: Option<String>,
    pub(super) homepage: String,
    pub(super) description: String,
    pub(super) end_date: i64,
    pub(super) join_policy: Policy,
    pub(super) leave_policy: Policy,
    pub(super) max_members: i64,
    pub(super) private: bool,
    pub(super) is_system: bool,
    pub(super) resources: BTreeMap<String, Capacity>,
    pub(super) last_application: Option<u64>,
}

impl Project {
    /// A project that has only been applied for.
    pub(super) fn applied(uuid: String, spec: &Spec, now: i64) -> Self {
        let mut project = Self {
            uuid,
            state: ProjectState::Uninitialized,
            created: now,
            deactivated: None,
            name: String::new(),
            owner: None,
            homepage: String::new(),
            description: String::new(),
            end_date: now,
            join_policy: Policy::Moderated,
            leave_policy: Policy::Auto,
            max_members: i64::MAX,
            private: false,
            is_system: false,
            resources: BTreeMap::new(),
            last_application: None,
        };
        project.apply(spec);
        project
    }

    /// Applies a specification.
    pub(super) fn apply(&mut self, spec: &Spec) {
        let spec = spec.clone();
        if let Some(name) = spec.name {
            self.name = name;
        }
        if spec.owner.is_some() {
            self.owner = spec.owner;
        }
        if let Some(homepage) = spec.homepage {
            self.homepage = homepage;
        }
        if let Some(description) = spec.description {
            self.description = description;
        }
        self.end_date = spec.end_date.unwrap_or(self.end_date);
        self.join_policy = spec.join_policy.unwrap_or(self.join_policy);
        self.leave_policy = spec.leave_policy.unwrap_or(self.leave_policy);
        self.max_members = spec.max_members.unwrap_or(self.max_members);
        self.private = spec.private.unwrap_or(self.private);
        self.resources.extend(spec.resources);
    }

    pub(super) fn is_owned_by(&self, uuid: &str) -> bool {
        self.owner.as_deref() == Some(uuid)
    }
}

/// The state of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApplicationState {
    Pending,
    Approved,
    Replaced,
    Denied,
    Dismissed,
    Cancelled,
}

impl ApplicationState {
    const ALL: [Self; 6] = [
        Self::Pending,
        Self::Approved,
        Self::Replaced,
        Self::Denied,
        Self::Dismissed,
        Self::Cancelled,
    ];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == text)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Replaced => "replaced",
            Self::Denied => "denied",
            Self::Dismissed => "dismissed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// An action on an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApplicationAction {
    Approve,
    Deny,
    Dismiss,
    Cancel,
}

impl ApplicationAction {
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("approve", Self::Approve),
        ("deny", Self::Deny),
        ("dismiss", Self::Dismiss),
        ("cancel", Self::Cancel),
    ];
}

/// An application for a project, or for a change of one.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) id: u64,
    pub(super) project: String,
    pub(super) state: ApplicationState,
    pub(super) applicant: String,
    pub(super) spec: Spec,
}

impl Application {
    pub(super) fn to_json(&self) -> Value {
        let spec = &self.spec;
        json!({
            "id": self.id,
            "state": self.state.name(),
            "name": spec.name,
            "owner": spec.owner,
            "applicant": self.applicant,
            "homepage": spec.homepage,
            "description": spec.description,
            "start_date": spec.start_date.map(dates::shown),
            "end_date": spec.end_date.map(dates::shown),
            "comments": spec.comments,
            "join_policy": spec.join_policy.map(Policy::name),
            "leave_policy": spec.leave_policy.map(Policy::name),
            "max_members": spec.max_members,
            "private": spec.private,
            "resources": resources_json(&spec.resources, |_| true),
        })
    }
}

/// The state of a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MembershipState {
    Requested,
    Accepted,
    LeaveRequested,
    Suspended,
    Rejected,
    Cancelled,
    Removed,
}

impl MembershipState {
    const ALL: [Self; 7] = [
        Self::Requested,
        Self::Accepted,
        Self::LeaveRequested,
        Self::Suspended,
        Self::Rejected,
        Self::Cancelled,
        Self::Removed,
    ];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == text)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Accepted => "accepted",
            Self::LeaveRequested => "leave_requested",
            Self::Suspended => "suspended",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Removed => "removed",
        }
    }

    /// A member, whether or not the member may use the project now.
    pub(super) fn is_any_accepted(self) -> bool {
        self.is_member() || self == Self::Suspended
    }

    /// A member who may use the project.
    pub(super) fn is_member(self) -> bool {
        matches!(self, Self::Accepted | Self::LeaveRequested)
    }
}

/// An action on a membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MembershipAction {
    Leave,
    Cancel,
    Accept,
    Reject,
    Remove,
}

impl MembershipAction {
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("leave", Self::Leave),
        ("cancel", Self::Cancel),
        ("accept", Self::Accept),
        ("reject", Self::Reject),
        ("remove", Self::Remove),
    ];
}

/// The only membership of a user in a project.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    pub(super) id: u64,
    pub(super) user: String,
    pub(super) project: String,
    pub(super) state: MembershipState,
    /// The last time that it entered each state.
    pub(super) since: BTreeMap<MembershipState, i64>,
}

impl Membership {
    pub(super) fn was_ever_accepted(&self) -> bool {
        self.since.keys().any(|state| state.is_any_accepted())
    }

    fn enter(&mut self, state: MembershipState, now: i64) {
        self.state = state;
        self.since.insert(state, now);
    }
}

/// All memberships, by project and by user.
#[derive(Clone, Debug, Default)]
pub(super) struct Memberships {
    all: BTreeMap<u64, Membership>,
    by_project: HashMap<String, Vec<u64>>,
    by_user: HashMap<String, Vec<u64>>,
}

impl Memberships {
    pub(super) fn get(&self, id: u64) -> Option<&Membership> {
        self.all.get(&id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Membership> {
        self.all.values()
    }

    pub(super) fn of_project(&self, project: &str) -> impl Iterator<Item = &Membership> {
        let ids = self.by_project.get(project).into_iter().flatten();
        ids.filter_map(|id| self.all.get(id))
    }

    pub(super) fn of_user(&self, user: &str) -> impl Iterator<Item = &Membership> {
        let ids = self.by_user.get(user).into_iter().flatten();
        ids.filter_map(|id| self.all.get(id))
    }

    pub(super) fn of(&self, user: &str, project: &str) -> Option<&Membership> {
        self.of_user(user).find(|m| m.project == project)
    }

    pub(super) fn is_member(&self, user: &str, project: &str) -> bool {
        self.of(user, project).is_some_and(|m| m.state.is_member())
    }

    pub(super) fn has_any_accepted(&self, user: &str, project: &str) -> bool {
        self.of(user, project)
            .is_some_and(|m| m.state.is_any_accepted())
    }

    /// Sets the state of a user; a user without a membership gets a new one.
    pub(super) fn put(
        &mut self,
        user: &str,
        project: &str,
        state: MembershipState,
        now: i64,
    ) -> u64 {
        if let Some(id) = self.of(user, project).map(|m| m.id) {
            self.enter(id, state, now);
            return id;
        }
        let id = self.all.last_key_value().map_or(1, |(id, _)| id + 1);
        let of_project = self.by_project.entry(project.to_owned()).or_default();
        of_project.push(id);
        let of_user = self.by_user.entry(user.to_owned()).or_default();
        of_user.push(id);
        let mut membership = Membership {
            id,
            user: user.to_owned(),
            project: project.to_owned(),
            state,
            since: BTreeMap::new(),
        };
        membership.enter(state, now);
        self.all.insert(id, membership);
        id
    }

    pub(super) fn enter(&mut self, id: u64, state: MembershipState, now: i64) {
        if let Some(membership) = self.all.get_mut(&id) {
            membership.enter(state, now);
        }
    }
}

/// The policy for joining or leaving a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Policy {
    Auto,
    Moderated,
    Closed,
}

impl Policy {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "moderated" => Some(Self::Moderated),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Moderated => "moderated",
            Self::Closed => "closed",
        }
    }
}

/// The capacity of a resource for a project, and for each of its members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Capacity {
    pub(super) member: i64,
    pub(super) project: i64,
}

/// The fields of an application; `None` for those that are missing.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) name: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) homepage: Option<String>,
    pub(super) description: Option<String>,
    pub(super) comments: Option<String>,
    pub(super) start_date: Option<i64>,
    pub(super) end_date: Option<i64>,
    pub(super) join_policy: Option<Policy>,
    pub(super) leave_policy: Option<Policy>,
    pub(super) max_members: Option<i64>,
    pub(super) private: Option<bool>,
    pub(super) resources: BTreeMap<String, Capacity>,
}

/// Formats the capacities for which `is_shown` returns true.
pub(super) fn resources_json(
    resources: &BTreeMap<String, Capacity>,
    is_shown: impl Fn(&String) -> bool,
) -> Value {
    let shown = resources.iter().filter(|(name, _)| is_shown(name));
    let shown = shown.map(|(name, capacity)| {
        let both = json!({
            "member_capacity": capacity.member,
            "project_capacity": capacity.project,
        });
        (name.clone(), both)
    });
    Value::Object(shown.collect::<Map<_, _>>())
}

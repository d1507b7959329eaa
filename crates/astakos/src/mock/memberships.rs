//! Memberships: who is in which project, and how they come and go (protocol section 9).

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::dates;
use super::projects::Project;
use super::refusal::{Refusal, Ruled};
use super::specs::Policy;
use super::state::State;

/// Where a membership stands.
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

    /// In the project, whether or not the member may use it just now.
    fn is_any_accepted(self) -> bool {
        self.is_member() || self == Self::Suspended
    }

    /// In the project and using it.
    pub(super) fn is_member(self) -> bool {
        matches!(self, Self::Accepted | Self::LeaveRequested)
    }
}

/// What is done with a membership.
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

/// The one membership of a user in a project.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    pub(super) id: u64,
    pub(super) user: String,
    pub(super) project: String,
    pub(super) state: MembershipState,
    /// The last time of each state it has been in.
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

/// All memberships, found from both sides.
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

    /// Puts a user into a state; who was not in the project before gets a new membership.
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

    fn enter(&mut self, id: u64, state: MembershipState, now: i64) {
        if let Some(membership) = self.all.get_mut(&id) {
            membership.enter(state, now);
        }
    }
}

impl State {
    /// Lets a user ask to come in.
    pub(super) fn join(&mut self, user: &str, uuid: &str, now: i64) -> Ruled<u64> {
        let project = self.project(uuid)?;
        alive(project)?;
        open(project.join_policy)?;
        let is_in = self.memberships.of(user, uuid).is_some_and(|membership| {
            membership.state == MembershipState::Requested || membership.state.is_any_accepted()
        });
        if is_in {
            return Err(Refusal::conflict("there is such a request or membership"));
        }
        let is_let_in = project.join_policy == Policy::Auto && self.has_room(project);
        let id = self
            .memberships
            .put(user, uuid, MembershipState::Requested, now);
        if is_let_in {
            self.memberships.enter(id, MembershipState::Accepted, now);
            self.sync_limits(uuid);
        }
        Ok(id)
    }

    /// Takes a user in without being asked.
    pub(super) fn enroll(&mut self, asking: &str, uuid: &str, email: &str, now: i64) -> Ruled<u64> {
        let user = self.users.by_email(email).filter(|user| user.moderated);
        let user = user.ok_or_else(|| Refusal::conflict("no accepted user has that address"))?;
        let project = self.projects.get(uuid);
        let project = project.ok_or_else(|| Refusal::conflict("there is no such project"))?;
        if !user.active {
            return Err(Refusal::conflict("the user is not active"));
        }
        if !self.decides(asking, project) {
            return Err(Refusal::forbidden());
        }
        alive(project)?;
        open(project.join_policy)?;
        self.room(project)?;
        if self.memberships.has_any_accepted(&user.uuid, uuid) {
            return Err(Refusal::conflict("the user is a member"));
        }
        let user = user.uuid.clone();
        let id = self
            .memberships
            .put(&user, uuid, MembershipState::Accepted, now);
        self.sync_limits(uuid);
        Ok(id)
    }

    pub(super) fn act_on_membership(
        &mut self,
        asking: &str,
        id: u64,
        action: MembershipAction,
        now: i64,
    ) -> Ruled<()> {
        let membership = self.membership(id)?;
        let (user, uuid) = (membership.user.clone(), membership.project.clone());
        self.check(asking, membership, action)?;
        let leave_policy = self.project(&uuid)?.leave_policy;
        let state = match action {
            MembershipAction::Accept => MembershipState::Accepted,
            MembershipAction::Reject => MembershipState::Rejected,
            MembershipAction::Cancel => MembershipState::Cancelled,
            MembershipAction::Leave if leave_policy == Policy::Moderated => {
                MembershipState::LeaveRequested
            }
            MembershipAction::Leave | MembershipAction::Remove => MembershipState::Removed,
        };
        self.memberships.enter(id, state, now);
        if state == MembershipState::Removed
            && let Some(user) = self.users.get_mut(&user)
            && user.default_project.as_deref() == Some(uuid.as_str())
        {
            user.default_project = None;
        }
        self.sync_limits(&uuid);
        Ok(())
    }

    pub(super) fn read_membership(&self, asking: &str, id: u64) -> Ruled<Value> {
        let membership = self.membership(id)?;
        if membership.user != asking && !self.decides(asking, self.project(&membership.project)?) {
            return Err(Refusal::forbidden());
        }
        Ok(self.membership_json(asking, membership))
    }

    /// The memberships that concern a user, as a member or owner; operators see all.
    pub(super) fn list_memberships(&self, asking: &str, project: Option<&str>) -> Value {
        let concerns = |membership: &&Membership| {
            let is_owner = || {
                let project = self.projects.get(&membership.project);
                project.is_some_and(|project| project.is_owned_by(asking))
            };
            membership.user == asking || self.is_admin(asking) || is_owner()
        };
        let all: Vec<&Membership> = match project {
            Some(project) => self.memberships.of_project(project).collect(),
            None => self.memberships.all.values().collect(),
        };
        all.into_iter()
            .filter(concerns)
            .map(|membership| self.membership_json(asking, membership))
            .collect()
    }

    fn membership(&self, id: u64) -> Ruled<&Membership> {
        let membership = self.memberships.get(id);
        membership.ok_or_else(|| Refusal::not_found(format!("there is no membership {id}")))
    }

    fn membership_json(&self, asking: &str, membership: &Membership) -> Value {
        let is_allowed = |(_, action): &&(&'static str, MembershipAction)| {
            self.check(asking, membership, *action).is_ok()
        };
        let allowed = MembershipAction::ALL.iter().filter(is_allowed);
        let allowed: Vec<&str> = allowed.map(|(name, _)| *name).collect();
        let mut told = json!({
            "id": membership.id,
            "user": membership.user,
            "project": self.id_json(&membership.project),
            "state": membership.state.name(),
            "allowed_actions": allowed,
        });
        for (state, at) in &membership.since {
            told[state.name()] = dates::shown(*at).into();
        }
        told
    }

    /// The checks of an action, in the order of the server.
    fn check(&self, asking: &str, membership: &Membership, action: MembershipAction) -> Ruled<()> {
        let state = membership.state;
        let project = self.project(&membership.project)?;
        let fits = match action {
            MembershipAction::Accept | MembershipAction::Reject | MembershipAction::Cancel => {
                state == MembershipState::Requested
            }
            MembershipAction::Leave | MembershipAction::Remove => state.is_any_accepted(),
        };
        if !fits {
            let why = format!("not possible with a membership that is {}", state.name());
            return Err(Refusal::conflict(why));
        }
        if action == MembershipAction::Accept {
            let user = self.users.get(&membership.user);
            if !user.is_some_and(|user| user.active) {
                return Err(Refusal::conflict("the user is not active"));
            }
        }
        let may = match action {
            MembershipAction::Leave | MembershipAction::Cancel => {
                membership.user == asking || self.is_admin(asking)
            }
            _ => self.decides(asking, project),
        };
        if !may {
            return Err(Refusal::forbidden());
        }
        alive(project)?;
        match action {
            MembershipAction::Accept => {
                open(project.join_policy)?;
                self.room(project)
            }
            MembershipAction::Leave | MembershipAction::Remove => open(project.leave_policy),
            MembershipAction::Reject | MembershipAction::Cancel => Ok(()),
        }
    }

    fn decides(&self, user: &str, project: &Project) -> bool {
        self.is_admin(user) || project.is_owned_by(user)
    }

    fn has_room(&self, project: &Project) -> bool {
        let members = self.memberships.of_project(&project.uuid);
        let members = members.filter(|membership| membership.state.is_any_accepted());
        i64::try_from(members.count()).is_ok_and(|count| count < project.max_members)
    }

    fn room(&self, project: &Project) -> Ruled<()> {
        if self.has_room(project) {
            Ok(())
        } else {
            Err(Refusal::conflict("the project is full"))
        }
    }
}

fn alive(project: &Project) -> Ruled<()> {
    if project.state.is_alive() {
        Ok(())
    } else {
        Err(Refusal::conflict("the project is not alive"))
    }
}

fn open(policy: Policy) -> Ruled<()> {
    if policy == Policy::Closed {
        Err(Refusal::conflict("the policy is closed"))
    } else {
        Ok(())
    }
}

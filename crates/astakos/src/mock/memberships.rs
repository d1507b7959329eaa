//! Memberships of users in projects, and how they start and end (protocol section 9).

use serde_json::{Value, json};

use super::dates;
use super::model::{Membership, MembershipAction, MembershipState, Policy, Project};
use super::refusal::{Refusal, Ruled};
use super::state::State;

impl State {
    /// Requests a membership for a user.
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

    /// Makes a user a member without a request.
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

    /// The memberships that a user may see, as a member or owner; operators see all.
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
            None => self.memberships.all().collect(),
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

    /// The checks of an action, in the server's order.
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

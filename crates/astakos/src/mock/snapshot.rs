//! The state as JSON without tokens, for people and for tests in other languages.

use serde_json::{Map, Value, json};

use super::commissions::CommissionState;
use super::dates;
use super::quota::Provision;
use super::state::State;

impl State {
    /// Returns the server's state, without secrets.
    pub(super) fn snapshot(&self, now: i64) -> Value {
        let users = self.users.all().map(|user| {
            json!({
                "uuid": user.uuid,
                "username": user.username,
                "active": user.active,
                "default_project": user.default_project(),
                "project_admin": self.is_admin(&user.uuid),
            })
        });
        let components = self.components.iter();
        let components = components
            .map(|component| json!({"name": component.name, "services": component.services}));
        let projects = self.projects.values().map(|project| {
            let members = self.memberships.of_project(&project.uuid);
            let members: Map<_, _> = members
                .map(|member| (member.user.clone(), member.state.name().into()))
                .collect();
            json!({
                "id": project.uuid,
                "name": project.name,
                "state": project.state.name(),
                "members": members,
            })
        });
        let holdings = self.holdings.all();
        let holdings = holdings.map(|(holder, source, resource, holding)| {
            json!({
                "holder": holder,
                "source": source,
                "resource": resource,
                "limit": holding.limit,
                "usage_min": holding.usage_min,
                "usage_max": holding.usage_max,
            })
        });
        let commissions = self.commissions.all().map(|(serial, issued)| {
            let provisions = issued.provisions.iter().map(Provision::to_json);
            json!({
                "serial": serial,
                "component": issued.owner,
                "name": issued.name,
                "issue_time": dates::shown(issued.time),
                "state": match issued.state {
                    CommissionState::Pending => "pending",
                    CommissionState::Accepted => "accepted",
                    CommissionState::Rejected => "rejected",
                },
                "provisions": provisions.collect::<Vec<_>>(),
            })
        });
        json!({
            "dialect": self.dialect.as_str(),
            "now": dates::shown(now),
            "base_path": self.base,
            "users": users.collect::<Vec<_>>(),
            "components": components.collect::<Vec<_>>(),
            "projects": projects.collect::<Vec<_>>(),
            "holdings": holdings.collect::<Vec<_>>(),
            "commissions": commissions.collect::<Vec<_>>(),
            "feedback": self.feedback.len(),
        })
    }
}

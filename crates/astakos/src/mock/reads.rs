//! The answers about quotas (protocol section 7.4).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::model::{Membership, ProjectState};
use super::quota::Holding;
use super::refusal::{Refusal, Ruled};
use super::state::{Component, State};
use crate::Dialect;

impl State {
    /// The holdings of a user.
    pub(super) fn quotas_of_user(&self, user: &str) -> Value {
        let is_shown = |name: &str| {
            let resource = self.resources.get(name);
            self.dialect == Dialect::V014 || resource.is_some_and(|resource| resource.api_visible)
        };
        if self.is_bare() {
            return self
                .old_quotas(user, is_shown)
                .unwrap_or(json!({"system": {}}));
        }
        let holder = format!("user:{user}");
        let memberships = self.memberships.of_user(user);
        let current = |membership: &&Membership| {
            let project = self.projects.get(&membership.project);
            membership.state.is_member()
                && project.is_some_and(|project| project.state != ProjectState::Deleted)
        };
        let told = memberships.filter(current).map(|membership| {
            let project = &membership.project;
            let told = self.with_project(&holder, project, is_shown);
            (project.clone(), Value::Object(told))
        });
        Value::Object(told.collect())
    }

    /// The holdings of users of a component's resources. `None` disables a filter.
    pub(super) fn service_quotas(
        &self,
        component: &Component,
        users: Option<&BTreeSet<&str>>,
        projects: Option<&BTreeSet<&str>>,
    ) -> Ruled<Value> {
        let resources = self.resources_of(component);
        let is_shown = |name: &str| resources.contains(name);
        let told_of = |user: &str| {
            if self.is_bare() {
                return self.old_quotas(user, is_shown);
            }
            let holder = format!("user:{user}");
            let mut told = Map::new();
            for source in self.holdings.sources(&holder) {
                let Some(project) = source.and_then(|source| source.strip_prefix("project:"))
                else {
                    continue;
                };
                if projects.is_some_and(|wanted| !wanted.contains(project)) {
                    continue;
                }
                let of_project = self.with_project(&holder, project, is_shown);
                if !of_project.is_empty() {
                    told.insert(project.to_owned(), of_project.into());
                }
            }
            (!told.is_empty()).then(|| told.into())
        };
        let mut told = Map::new();
        let mut tell = |user: &str| {
            let user = self.users.get(user).filter(|user| user.email_verified);
            if let Some(user) = user
                && let Some(quotas) = told_of(&user.uuid)
            {
                told.insert(user.uuid.clone(), quotas);
            }
        };
        match users {
            Some(users) => users.iter().for_each(|user| tell(user)),
            None => self.users.all().for_each(|user| tell(&user.uuid)),
        }
        if users.is_some() && told.is_empty() {
            return Err(Refusal::not_found("no such user"));
        }
        Ok(told.into())
    }

    /// The holdings of projects of a component's resources.
    pub(super) fn service_project_quotas(
        &self,
        component: &Component,
        projects: Option<&BTreeSet<&str>>,
    ) -> Ruled<Value> {
        let resources = self.resources_of(component);
        let mut told = Map::new();
        for project in self.projects.values() {
            let is_wanted = projects.is_none_or(|wanted| wanted.contains(project.uuid.as_str()));
            if !is_wanted || !project.state.is_initialized() {
                continue;
            }
            let holder = format!("project:{}", project.uuid);
            let held = self.holdings.shelf(&holder, None);
            let of_project: Map<_, _> = held
                .filter(|(name, _)| resources.contains(name))
                .map(|(name, holding)| (name.to_owned(), of_project(holding).into()))
                .collect();
            if !of_project.is_empty() {
                told.insert(project.uuid.clone(), of_project.into());
            }
        }
        if projects.is_some() && told.is_empty() {
            return Err(Refusal::not_found("no such project"));
        }
        Ok(told.into())
    }

    /// A user's holdings from a project, each with the project's own.
    fn with_project(
        &self,
        holder: &str,
        project: &str,
        is_shown: impl Fn(&str) -> bool,
    ) -> Map<String, Value> {
        let source = format!("project:{project}");
        let held = self.holdings.shelf(holder, Some(&source));
        let told = held.filter(|(name, _)| is_shown(name));
        told.map(|(name, holding)| {
            let whole = self.holdings.get(&source, None, name).unwrap_or_default();
            let mut told = of_project(whole);
            told.extend(of_user(holding));
            (name.to_owned(), Value::Object(told))
        })
        .collect()
    }

    /// A user's holdings in the form of servers before 0.16.
    fn old_quotas(&self, user: &str, is_shown: impl Fn(&str) -> bool) -> Option<Value> {
        let mut told = Map::new();
        for source in self.holdings.sources(user) {
            let held = self.holdings.shelf(user, source);
            let held = held.filter(|(name, _)| is_shown(name));
            let of_source: Map<_, _> = held
                .map(|(name, holding)| (name.to_owned(), of_user(holding).into()))
                .collect();
            if !of_source.is_empty() {
                told.insert(source.unwrap_or_default().to_owned(), of_source.into());
            }
        }
        (!told.is_empty()).then(|| told.into())
    }
}

fn of_user(holding: Holding) -> Map<String, Value> {
    [
        ("usage", holding.usage()),
        ("limit", holding.limit),
        ("pending", holding.pending()),
    ]
    .map(|(name, number)| (name.to_owned(), number.into()))
    .into_iter()
    .collect()
}

fn of_project(holding: Holding) -> Map<String, Value> {
    [
        ("project_usage", holding.usage()),
        ("project_limit", holding.limit),
        ("project_pending", holding.pending()),
    ]
    .map(|(name, number)| (name.to_owned(), number.into()))
    .into_iter()
    .collect()
}

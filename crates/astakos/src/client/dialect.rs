//! Converts calls to the form of each generation of servers.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vouchsafe_core::call::{Answer, Call, CallOptions, Operation};

use super::Client;
use crate::generated::account::{calls, operations};
use crate::{Dialect, Error, ErrorKind, Project, ProjectId, Result};

impl Client {
    /// Returns the generation that the client assumes.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.generation.get()
    }

    /// Finds out the server's generation, and uses it from now on.
    ///
    /// Sends one or two requests without a token: a server refuses known operations for the missing
    /// token (401), and others as an unknown path (400 or 404).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoEndpoints`] or [`ErrorKind::Connection`] if the server cannot be reached;
    /// any other kind if it answers something else.
    pub async fn discover_dialect(&self) -> Result<Dialect> {
        let newest = calls::service_project_quotas(&calls::ServiceProjectQuotasParams::default())?;
        let oldest = calls::legacy_user_info(&calls::LegacyUserInfoParams::default())?;
        let dialect = if self.knows(newest).await? {
            Dialect::V016
        } else if self.knows(oldest).await? {
            Dialect::V014
        } else {
            Dialect::V015
        };
        self.generation.learn(dialect);
        Ok(dialect)
    }

    /// Returns whether the server knows an operation.
    async fn knows(&self, call: Call) -> Result<bool> {
        match self.deliver(call, None, &CallOptions::new()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                ErrorKind::Unauthorized => Ok(true),
                ErrorKind::BadRequest | ErrorKind::NotFound => Ok(false),
                _ => Err(error),
            },
        }
    }

    /// Refuses an operation that servers of this generation do not have.
    pub(super) fn require_operation(&self, operation: &Operation) -> Result<()> {
        match operation.servers() {
            Some(servers) if !self.dialect().is_among(servers) => Err(self.lacks(&format!(
                "{}, which only servers of {servers} support",
                operation.id()
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses features that only servers since 0.16 have, before anything is sent.
    pub(super) fn require(&self, what: &str) -> Result<()> {
        match self.dialect() {
            Dialect::V016 => Ok(()),
            _ => Err(self.lacks(what)),
        }
    }

    fn lacks(&self, what: &str) -> Error {
        let dialect = self.dialect();
        Error::unsupported(format!(
            "servers of {dialect} do not have {what}; if the server is of another generation, set \
             it with ClientBuilder::dialect or call Client::discover_dialect"
        ))
    }

    /// Sends a call in the form of the server's generation.
    ///
    /// Servers of 0.15 ignore filters in the query. If no generation was set and the answer to a
    /// filter shows such a server, the call is sent again in the form for it.
    pub(super) async fn send_translated(
        &self,
        call: Call,
        options: &CallOptions,
    ) -> Result<Answer> {
        let is_list = call.operation().id() == operations::LIST_PROJECTS.id();
        let is_filtered = is_list && !call.query().is_empty();
        if !is_filtered || self.dialect() != Dialect::V016 {
            return self.send(self.translated(call)?, options).await;
        }
        let answer = self.send(call.clone(), options).await?;
        let projects: Vec<Project> = answer.json_or_default()?;
        if projects.iter().all(|project| project.id.as_str().is_some()) {
            return Ok(answer);
        }
        if !self.generation.is_assumed() {
            return Err(Error::unsupported(format!(
                "the server answered as those of 0.15 do and was called as one of {}: set its \
                 generation with ClientBuilder::dialect or call Client::discover_dialect",
                self.dialect()
            )));
        }
        self.generation.learn(Dialect::V015);
        self.send(self.translated(call)?, options).await
    }

    /// Converts a call to the form of 0.15, if the server is of that generation.
    pub(super) fn translated(&self, call: Call) -> Result<Call> {
        let operation = call.operation();
        if operation.id() == operations::SERVICE_QUOTAS.id()
            && call.query().iter().any(|(name, _)| name == "project")
        {
            self.require("a choice of projects for the quotas of users")?;
        }
        if let Some(id) = call.path_value("project_id") {
            // These have a meaning of their own in a path.
            if id == "memberships" || id == "apps" {
                let why = format!("`{id}` cannot be the id of a project");
                return Err(Error::bad_value(why));
            }
            self.project_id(id)?;
        }
        if self.dialect() != Dialect::V015 {
            return Ok(call);
        }
        if operation.id() == operations::MODIFY_PROJECT.id() {
            return Ok(call.for_operation(&operations::LEGACY_MODIFY_PROJECT)?);
        }
        let is_list = operation.id() == operations::LIST_PROJECTS.id();
        if !is_list && operation.id() != operations::LIST_MEMBERSHIPS.id() {
            return Ok(call);
        }
        let mut filter = BTreeMap::new();
        for (name, value) in call.query() {
            if name == "mode" {
                self.require("modes of listing projects")?;
            }
            let value = match name.as_str() {
                "project" => json!(self.project_id(value)?),
                _ => Value::from(value),
            };
            filter.insert(name, value);
        }
        let call = call.without_query();
        Ok(match filter.is_empty() {
            true => call,
            false if is_list => call.json(&one("filter", json!(filter)))?,
            false => call.json(&filter)?,
        })
    }

    /// Returns an id in the form of the generation: a number on servers of 0.15.
    pub(super) fn project_id(&self, id: impl Into<ProjectId>) -> Result<ProjectId> {
        let id = id.into();
        if self.dialect() != Dialect::V015 {
            return Ok(id);
        }
        let number = id.as_number().filter(|number| *number >= 0);
        number.map(ProjectId::from).ok_or_else(|| {
            Error::bad_value(format!(
                "`{id}`: projects of servers of 0.15 have numbers as ids"
            ))
        })
    }
}

/// Returns a JSON object with one key.
pub(super) fn one(key: &str, value: impl Into<Value>) -> BTreeMap<String, Value> {
    BTreeMap::from([(key.to_owned(), value.into())])
}

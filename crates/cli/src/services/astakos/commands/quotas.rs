//! What may be used, and what is.

use clap::Args;
use serde_json::{Map, json};
use vouchsafe::astakos::{Client, Quota};

use crate::failure::Failure;
use crate::output::{Answer, table};

#[derive(Args, Debug)]
pub(super) struct QuotasArgs {
    /// The token is a service's: shows the service's own resources, for all users
    #[arg(long)]
    service: bool,
    /// Only this user, by uuid; repeat for more
    #[arg(long = "user", value_name = "UUID", requires = "service")]
    users: Vec<String>,
    /// Only this project; repeat for more
    #[arg(long = "project", value_name = "ID", requires = "service")]
    projects: Vec<String>,
    /// Quotas of whole projects instead of users
    #[arg(long, requires = "service", conflicts_with = "users")]
    by_project: bool,
}

impl QuotasArgs {
    pub(super) fn depends_on_dialect(&self) -> bool {
        self.by_project || !self.projects.is_empty()
    }
}

pub(super) async fn run(client: &Client, args: QuotasArgs) -> Result<Answer, Failure> {
    let users: Vec<_> = args.users.iter().map(String::as_str).collect();
    let users = Some(users).filter(|users| !users.is_empty());
    let projects: Vec<_> = args.projects.iter().map(String::as_str).collect();
    let projects = Some(projects).filter(|projects| !projects.is_empty());
    if args.by_project {
        return by_project(client, projects.as_deref()).await;
    }
    if !args.service {
        let quotas = client.quotas().await?;
        let rows = quotas.iter().map(|(project, resource, quota)| {
            let mut row = vec![project.to_owned(), resource.to_owned()];
            row.extend(numbers(quota));
            row
        });
        return Ok(Answer::new(table(&HEADER, rows), json!(quotas)));
    }
    let mut walk = client
        .walk_service_quotas(users.as_deref(), projects.as_deref())
        .await?;
    let (mut rows, mut all) = (Vec::new(), Map::new());
    while let Some((user, quotas)) = walk.next().await? {
        for (project, resource, quota) in quotas.iter() {
            let mut row = vec![user.clone(), project.to_owned(), resource.to_owned()];
            row.extend(numbers(quota));
            rows.push(row);
        }
        all.insert(user, json!(quotas));
    }
    let header: Vec<_> = ["user"].into_iter().chain(HEADER).collect();
    Ok(Answer::new(table(&header, rows), all.into()))
}

const HEADER: [&str; 6] = ["project", "resource", "used", "pending", "limit", "room"];

fn numbers(quota: &Quota) -> [String; 4] {
    [
        quota.usage.to_string(),
        quota.pending.to_string(),
        quota.limit.to_string(),
        quota.room().to_string(),
    ]
}

async fn by_project(client: &Client, projects: Option<&[&str]>) -> Result<Answer, Failure> {
    let found = client.service_project_quotas(projects).await?;
    let rows = found.iter().flat_map(|(project, resources)| {
        resources.iter().map(move |(resource, quota)| {
            vec![
                project.clone(),
                resource.clone(),
                quota.usage.to_string(),
                quota.pending.to_string(),
                quota.limit.to_string(),
                quota.room().to_string(),
            ]
        })
    });
    Ok(Answer::new(table(&HEADER, rows), json!(found)))
}

pub(super) async fn resources(client: &Client) -> Result<Answer, Failure> {
    let found = client.resources().await?;
    let rows = found.iter().map(|(name, resource)| {
        vec![
            name.clone(),
            resource.service.clone(),
            resource.unit.clone().unwrap_or_default(),
            resource.description.clone().unwrap_or_default(),
        ]
    });
    let header = ["resource", "service", "unit", "description"];
    Ok(Answer::new(table(&header, rows), json!(found)))
}

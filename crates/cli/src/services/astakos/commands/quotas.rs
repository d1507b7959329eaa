//! Limits and usage.

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
    users: Option<Vec<String>>,
    /// Only this project; repeat for more
    #[arg(long = "project", value_name = "ID", requires = "service")]
    projects: Option<Vec<String>>,
    /// Quotas of whole projects instead of users
    #[arg(long, requires = "service", conflicts_with = "users")]
    by_project: bool,
}

impl QuotasArgs {
    pub(super) fn depends_on_dialect(&self) -> bool {
        self.by_project || self.projects.is_some()
    }
}

pub(super) async fn run(client: &Client, args: QuotasArgs) -> Result<Answer, Failure> {
    if args.by_project {
        return by_project(client, args.projects).await;
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
    let mut request = client.service_quotas();
    if let Some(users) = args.users {
        request = request.users(users);
    }
    if let Some(projects) = args.projects {
        request = request.projects(projects);
    }
    let mut walk = request.walk().await?;
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

async fn by_project(client: &Client, projects: Option<Vec<String>>) -> Result<Answer, Failure> {
    let mut request = client.service_project_quotas();
    if let Some(projects) = projects {
        request = request.projects(projects);
    }
    let found = request.send().await?;
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

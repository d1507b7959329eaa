//! `vouchsafe wazo users import`: creates the users in a file, several concurrently.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;
use vouchsafe::core::Secret;
use vouchsafe::core::mock::strict;
use vouchsafe::wazo_auth::{Client, GroupUuid, NewUser, PolicyId, UserPurpose, UserUuid};

use super::lookup;
use crate::failure::Failure;
use crate::output::{Answer, table};
use crate::progress::Progress;
use crate::secret::read_document;

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// The file, or - for standard input: a JSON list of users, with username, firstname, lastname,
    /// email_address, password, purpose, authentication_method, enabled and uuid as for users
    /// create, and lists of groups and policies. It contains passwords, so no one else should be
    /// able to read it
    file: PathBuf,
    /// Skips users whose name, address or uuid exists, except for adding missing groups and
    /// policies, so that an import can be run again
    #[arg(long)]
    skip_existing: bool,
    /// How many users to create concurrently
    #[arg(long, value_name = "COUNT", default_value = "4")]
    parallel: NonZeroUsize,
    /// Only reads the file and looks up groups
    #[arg(long)]
    dry_run: bool,
}

/// A user in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    username: Option<String>,
    firstname: Option<String>,
    lastname: Option<String>,
    email_address: Option<String>,
    password: Option<Secret>,
    purpose: Option<String>,
    authentication_method: Option<String>,
    enabled: Option<bool>,
    uuid: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    #[serde(default)]
    policies: Vec<String>,
}

/// A user that can be created.
struct Planned {
    place: usize,
    name: String,
    user: NewUser,
    groups: Vec<GroupUuid>,
    policies: Vec<PolicyId>,
}

/// Groups that were looked up: most users are in the same few.
#[derive(Default)]
struct Groups(BTreeMap<String, GroupUuid>);

impl Groups {
    async fn find(&mut self, client: &Client, text: &str) -> Result<GroupUuid, Failure> {
        if let Some(known) = self.0.get(text) {
            return Ok(known.clone());
        }
        let found = lookup::group(client, text).await?;
        self.0.insert(text.to_owned(), found.clone());
        Ok(found)
    }
}

/// The outcome for a user.
enum Outcome {
    Created(UserUuid),
    Skipped,
    Failed(Failure),
}

pub(super) async fn run(client: &Client, args: ImportArgs) -> Result<Answer, Failure> {
    let place = args.file.display();
    let text = read_document(&args.file)?;
    let entries: Vec<Entry> = strict::read(text.expose())
        .map_err(|fault| Failure::usage(format!("{place}: {}", fault.message())))?;
    // All faults that can be detected are reported before the first user is created.
    let mut groups = Groups::default();
    let mut names = BTreeMap::new();
    let mut planned = Vec::new();
    for (at, entry) in (1..).zip(entries) {
        let in_part = |fault: Failure| fault.in_part(&format!("{place}, user {at}"));
        let plan = entry.plan(client, at, &mut groups).await.map_err(in_part)?;
        if let Some(first) = names.insert(plan.name.to_lowercase(), at) {
            let message = format!("{} is also used by user {first}", plan.name);
            return Err(in_part(Failure::usage(message)));
        }
        planned.push(plan);
    }
    if args.dry_run {
        let message = format!("{} users could be created", planned.len());
        return Ok(Answer::new(message, json!({"users": planned.len()})));
    }
    let mut progress = Progress::new("users", u64::try_from(planned.len()).ok());
    let mut left = planned.into_iter();
    let mut work = JoinSet::new();
    let mut done = Vec::new();
    loop {
        while work.len() < args.parallel.get()
            && let Some(plan) = left.next()
        {
            let client = client.clone();
            let skip = args.skip_existing;
            work.spawn(async move {
                let outcome = plan.create(&client, skip).await;
                (plan.place, plan.name, outcome)
            });
        }
        match work.join_next().await {
            None => break,
            Some(Ok(one)) => done.push(one),
            Some(Err(fault)) => {
                return Err(Failure::failed(format!(
                    "the import was interrupted: {fault}"
                )));
            }
        }
        progress.step();
    }
    drop(progress);
    done.sort_by_key(|(place, ..)| *place);
    Ok(told(&done))
}

impl Entry {
    async fn plan(
        self,
        client: &Client,
        place: usize,
        known: &mut Groups,
    ) -> Result<Planned, Failure> {
        let name = self.username.as_ref().or(self.email_address.as_ref());
        let name = name.ok_or_else(|| {
            Failure::usage("neither username nor email_address: the user could not log in")
        })?;
        let name = name.clone();
        let mut user = NewUser::new();
        user.username = self.username;
        user.firstname = self.firstname;
        user.lastname = self.lastname;
        user.email_address = self.email_address;
        user.password = self.password;
        user.purpose = self.purpose.map(UserPurpose::from);
        user.authentication_method = self.authentication_method;
        user.enabled = self.enabled;
        user.uuid = self.uuid.map(|uuid| uuid.parse()).transpose()?;
        let mut groups = Vec::new();
        for group in &self.groups {
            groups.push(known.find(client, group).await?);
        }
        let policies = self.policies.iter().map(|policy| policy.parse());
        Ok(Planned {
            place,
            name,
            user,
            groups,
            policies: policies.collect::<Result<_, _>>()?,
        })
    }
}

impl Planned {
    async fn create(&self, client: &Client, skip_existing: bool) -> Outcome {
        let user = match client.users().create(&self.user).await {
            Ok(user) => user.uuid,
            Err(error) if skip_existing && error.is_conflict() => {
                return self.complete(client).await;
            }
            Err(error) => return Outcome::Failed(error.into()),
        };
        match self.attach(client, &user).await {
            Ok(()) => Outcome::Created(user),
            Err(error) => {
                let failure = Failure::from(error);
                Outcome::Failed(failure.in_part(&format!("created as {user}, but")))
            }
        }
    }

    /// Completes an existing user, in case an earlier import did not.
    async fn complete(&self, client: &Client) -> Outcome {
        if self.groups.is_empty() && self.policies.is_empty() {
            return Outcome::Skipped;
        }
        let user = match lookup::user(client, &self.name).await {
            Ok(user) => user,
            // The address or the uuid is taken, or the name in a tenant that the token does not
            // see.
            Err(failure) => return Outcome::Failed(failure),
        };
        match self.attach(client, &user).await {
            Ok(()) => Outcome::Skipped,
            Err(error) => Outcome::Failed(error.into()),
        }
    }

    async fn attach(
        &self,
        client: &Client,
        user: &UserUuid,
    ) -> Result<(), vouchsafe::wazo_auth::Error> {
        for group in &self.groups {
            client.groups().add_user(group, user).await?;
        }
        for policy in &self.policies {
            client.users().add_policy(user, policy).await?;
        }
        Ok(())
    }
}

/// Returns the number of each outcome, and the reason for each failure.
fn told(done: &[(usize, String, Outcome)]) -> Answer {
    let mut created = Vec::new();
    let mut skipped = Vec::new();
    let mut failed = Vec::new();
    for (place, name, outcome) in done {
        match outcome {
            Outcome::Created(uuid) => created.push(json!({"name": name, "uuid": uuid})),
            Outcome::Skipped => skipped.push(name.clone()),
            Outcome::Failed(failure) => failed.push((*place, name.clone(), failure.to_string())),
        }
    }
    let counts = format!(
        "{} created, {} skipped, {} failed",
        created.len(),
        skipped.len(),
        failed.len()
    );
    let rows = failed
        .iter()
        .map(|(place, name, why)| vec![place.to_string(), name.clone(), why.clone()]);
    let human = match failed.is_empty() {
        true => counts.clone(),
        false => format!("{}\n\n{counts}", table(&["place", "name", "why"], rows)),
    };
    let is_good = failed.is_empty();
    let failed: Vec<_> = failed
        .into_iter()
        .map(|(place, name, why)| json!({"place": place, "name": name, "error": why}))
        .collect();
    let value = json!({"created": created, "skipped": skipped, "failed": failed});
    let answer = Answer::new(human, value);
    match is_good {
        true => answer,
        false => answer.failed(counts),
    }
}

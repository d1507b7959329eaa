//! Projects, applications and memberships, with a user's token.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use vouchsafe::astakos::{
    ApplicationAction, Applied, Client, DefaultProject, Membership, MembershipAction, Project,
    ProjectAction, ProjectId, ProjectMode, ProjectSpec, ProjectState,
};
use vouchsafe::core::text::str_without_mark;

use super::done;
use crate::failure::Failure;
use crate::output::{Answer, pairs, table};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists projects
    List(ListArgs),
    /// Shows a project
    Show {
        /// Its id
        id: String,
    },
    /// Applies for a project and prints its id
    Create {
        /// A file that describes the project as a JSON object
        spec: PathBuf,
    },
    /// Applies for a modification of a project
    Modify {
        /// Its id
        id: String,
        /// A file with the changes as a JSON object
        spec: PathBuf,
    },
    /// Decides about a project, or about its last application
    Action {
        /// The project's id
        id: String,
        /// What to do
        action: Action,
        /// The number of the application [default: the project's last one]
        #[arg(long)]
        application: Option<i64>,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Lists memberships
    Memberships {
        /// Only this project
        #[arg(long, value_name = "ID")]
        project: Option<String>,
    },
    /// Decides about a membership
    Member {
        /// The membership's number
        membership: i64,
        /// What to do
        action: MemberAction,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Asks to join a project
    Join {
        /// The project's id
        id: String,
    },
    /// Adds a user to a project
    Enroll {
        /// The project's id
        id: String,
        /// The user's e-mail address
        email: String,
    },
    /// Chooses the project that new resources are charged to
    Default {
        /// The project's id
        id: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// Only projects with this name
    #[arg(long)]
    name: Option<String>,
    /// Only projects in this state: uninitialized, active, suspended, terminated or deleted
    #[arg(long)]
    state: Option<String>,
    /// Only projects of this owner, by uuid
    #[arg(long)]
    owner: Option<String>,
    /// How the user of the token is related to them
    #[arg(long)]
    mode: Option<Mode>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    Default,
    Related,
    Member,
    Active,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Action {
    Suspend,
    Unsuspend,
    Terminate,
    Reinstate,
    Approve,
    Deny,
    Dismiss,
    Cancel,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum MemberAction {
    Leave,
    Cancel,
    Accept,
    Reject,
    Remove,
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::List(args) => list(client, args).await,
        Command::Show { id } => Ok(shown(&client.project(id).await?)),
        Command::Create { spec } => {
            let spec = read(&spec)?;
            Ok(applied(&client.create_project(&spec).await?))
        }
        Command::Modify { id, spec } => {
            let spec = read(&spec)?;
            Ok(applied(&client.modify_project(id, &spec).await?))
        }
        Command::Action {
            id,
            action,
            application,
            reason,
        } => act(client, id.into(), action, application, &reason).await,
        Command::Memberships { project } => {
            let request = client.memberships();
            let request = match project {
                Some(project) => request.project(project),
                None => request,
            };
            Ok(members(&request.send().await?))
        }
        Command::Member {
            membership,
            action,
            reason,
        } => {
            let action = match action {
                MemberAction::Leave => MembershipAction::Leave,
                MemberAction::Cancel => MembershipAction::Cancel,
                MemberAction::Accept => MembershipAction::Accept,
                MemberAction::Reject => MembershipAction::Reject,
                MemberAction::Remove => MembershipAction::Remove,
            };
            client
                .membership_action(membership, &action, &reason)
                .await?;
            Ok(done(action.as_str()))
        }
        Command::Join { id } => Ok(membership(client.join_project(id).await?)),
        Command::Enroll { id, email } => Ok(membership(client.enroll_member(id, &email).await?)),
        Command::Default { id } => {
            client.set_default_project(&DefaultProject::new(id)).await?;
            Ok(done("chosen"))
        }
    }
}

async fn list(client: &Client, args: ListArgs) -> Result<Answer, Failure> {
    let mut filter = client.projects();
    if let Some(name) = args.name {
        filter = filter.name(name);
    }
    if let Some(state) = args.state {
        filter = filter.state(ProjectState::from(state));
    }
    if let Some(owner) = args.owner {
        filter = filter.owner(owner);
    }
    filter = match args.mode {
        None => filter,
        Some(Mode::Default) => filter.mode(ProjectMode::Default),
        Some(Mode::Related) => filter.mode(ProjectMode::Related),
        Some(Mode::Member) => filter.mode(ProjectMode::Member),
        Some(Mode::Active) => filter.mode(ProjectMode::Active),
    };
    let found = filter.send().await?;
    let rows = found.iter().map(|project| {
        vec![
            project.id.to_string(),
            project.name.clone().unwrap_or_default(),
            state(project),
            project.owner.clone().unwrap_or_default(),
        ]
    });
    let header = ["id", "name", "state", "owner"];
    Ok(Answer::new(table(&header, rows), json!(found)))
}

fn state(project: &Project) -> String {
    let state = project
        .state
        .as_ref()
        .map(|state| state.as_str().to_owned());
    state.unwrap_or_default()
}

fn shown(project: &Project) -> Answer {
    let mut rows = vec![
        ("id".to_owned(), project.id.to_string()),
        ("state".to_owned(), state(project)),
    ];
    let policy = |policy: &Option<vouchsafe::astakos::Policy>| {
        policy.as_ref().map(|policy| policy.as_str().to_owned())
    };
    for (name, value) in [
        ("name", project.name.clone()),
        ("owner", project.owner.clone()),
        ("description", project.description.clone()),
        ("homepage", project.homepage.clone()),
        ("ends", project.end_date.clone()),
        ("joining", policy(&project.join_policy)),
        ("leaving", policy(&project.leave_policy)),
        (
            "members at most",
            project.max_members.map(|limit| limit.to_string()),
        ),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            rows.push((name.to_owned(), value));
        }
    }
    for (resource, capacity) in &project.resources {
        let value = format!(
            "{} for the project, {} for each member",
            capacity.project_capacity, capacity.member_capacity
        );
        rows.push((format!("resource {resource}"), value));
    }
    if let Some(application) = &project.last_application {
        let state = application
            .state
            .as_ref()
            .map_or("", |state| state.as_str());
        let value = format!("{} ({state})", application.id);
        rows.push(("last application".to_owned(), value));
    }
    for (name, number) in [
        ("application", project.application),
        ("pending application", project.pending_application),
    ] {
        rows.extend(number.map(|number| (name.to_owned(), number.to_string())));
    }
    Answer::new(pairs(rows), json!(project))
}

fn applied(applied: &Applied) -> Answer {
    Answer::new(applied.id.to_string(), json!(applied))
}

fn membership(id: i64) -> Answer {
    Answer::new(id.to_string(), json!({"id": id}))
}

fn members(found: &[Membership]) -> Answer {
    let rows = found.iter().map(|membership| {
        let actions: Vec<_> = membership
            .allowed_actions
            .iter()
            .map(MembershipAction::as_str)
            .collect();
        vec![
            membership.id.to_string(),
            membership
                .project
                .as_ref()
                .map(ProjectId::to_string)
                .unwrap_or_default(),
            membership.user.clone().unwrap_or_default(),
            membership
                .state
                .as_ref()
                .map_or("", |state| state.as_str())
                .to_owned(),
            actions.join(", "),
        ]
    });
    let header = ["id", "project", "user", "state", "may be"];
    Answer::new(table(&header, rows), json!(found))
}

async fn act(
    client: &Client,
    id: ProjectId,
    action: Action,
    application: Option<i64>,
    reason: &str,
) -> Result<Answer, Failure> {
    let on_application = match action {
        Action::Approve => ApplicationAction::Approve,
        Action::Deny => ApplicationAction::Deny,
        Action::Dismiss => ApplicationAction::Dismiss,
        Action::Cancel => ApplicationAction::Cancel,
        Action::Suspend | Action::Unsuspend | Action::Terminate | Action::Reinstate => {
            let action = match action {
                Action::Suspend => ProjectAction::Suspend,
                Action::Unsuspend => ProjectAction::Unsuspend,
                Action::Terminate => ProjectAction::Terminate,
                _ => ProjectAction::Reinstate,
            };
            if application.is_some() {
                let what = "this is done to a project, not to an application";
                return Err(Failure::usage(what).hint("leave out --application"));
            }
            client.project_action(id, action, reason).await?;
            return Ok(done(action.as_str()));
        }
    };
    let application = match application {
        Some(application) => application,
        None => {
            let project = client.project(&id).await?;
            application_of(&project, on_application).ok_or_else(|| {
                Failure::not_found("the project shows no application")
                    .hint("only owner and administrators see it; or give --application")
            })?
        }
    };
    client
        .application_action(id, application, on_application, reason)
        .await?;
    Ok(done(on_application.as_str()))
}

/// Returns the application to act on. Servers of 0.15 list the number of the pending application
/// apart from that of the one in effect.
fn application_of(project: &Project, action: ApplicationAction) -> Option<i64> {
    let last = project.last_application.as_ref().map(|last| last.id);
    let (waits, stands) = (project.pending_application, project.application);
    last.or(match action {
        ApplicationAction::Dismiss => stands.or(waits),
        _ => waits.or(stands),
    })
}

fn read(path: &PathBuf) -> Result<ProjectSpec, Failure> {
    let fail = |cause: &dyn std::fmt::Display| {
        Failure::usage(format!("{}: {cause}", path.display()))
            .hint("it must be a JSON object, such as {\"name\": \"lab.example.org\", \"end_date\": \"2031-01-01T00:00:00+00:00\"}")
    };
    let text = std::fs::read_to_string(path).map_err(|cause| fail(&cause))?;
    serde_json::from_str(str_without_mark(&text)).map_err(|cause| fail(&cause))
}

//! `vouchsafe ticket roles`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vouchsafe::core::text::without_mark;
use vouchsafe::core::timestamp;
use vouchsafe::ticket::protocol::Blob;
use vouchsafe::ticket::protocol::blob::split_roles;
use vouchsafe::ticket::{Entity, Roles, SubjectRoles, TvmId, Uid};

use crate::failure::Failure;
use crate::output::{Answer, pairs, table};

/// The queries on roles.
#[derive(Debug, Subcommand)]
pub(super) enum RolesCommand {
    /// Lists who has which role, and for what
    Show(ShowArgs),
    /// Checks whether a service or user has a role; the exit code is 0 if so and 1 if not
    Check(CheckArgs),
}

#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// The document, or the file `roles` of a disk cache
    file: PathBuf,
    /// Only the roles of this service
    #[arg(long, value_name = "ID")]
    service: Option<TvmId>,
    /// Only the roles of this user
    #[arg(long, value_name = "UID", conflicts_with = "service")]
    uid: Option<Uid>,
    /// Only this role
    #[arg(long)]
    role: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// The document, or the file `roles` of a disk cache
    file: PathBuf,
    /// The service
    #[arg(long, value_name = "ID", required_unless_present = "uid")]
    service: Option<TvmId>,
    /// The user
    #[arg(long, value_name = "UID", conflicts_with = "service")]
    uid: Option<Uid>,
    /// The role, with its slashes, such as /read/
    #[arg(long)]
    role: String,
    /// An attribute; together they must be all attributes that the role is limited to. Without any,
    /// the role counts whatever its attributes are
    #[arg(long = "attr", value_name = "KEY=VALUE", value_parser = attribute)]
    attributes: Vec<(String, String)>,
}

pub(super) fn run(command: RolesCommand) -> Result<(Answer, ExitCode), Failure> {
    match command {
        RolesCommand::Show(args) => show(&args).map(|answer| (answer, ExitCode::SUCCESS)),
        RolesCommand::Check(args) => check(&args),
    }
}

fn show(args: &ShowArgs) -> Result<Answer, Failure> {
    let (roles, slug) = read(&args.file)?;
    let mut subjects = Vec::new();
    if args.uid.is_none() {
        let mut ids: Vec<_> = roles
            .services()
            .filter(|id| args.service.is_none_or(|only| only == *id))
            .collect();
        ids.sort_unstable();
        subjects.extend(
            ids.into_iter()
                .map(|id| ("service", u64::from(id.get()), roles.of_service_id(id))),
        );
    }
    if args.service.is_none() {
        let mut uids: Vec<_> = roles
            .users()
            .filter(|uid| args.uid.is_none_or(|only| only == *uid))
            .collect();
        uids.sort_unstable();
        subjects.extend(
            uids.into_iter()
                .map(|uid| ("user", uid.get(), roles.of_uid(uid))),
        );
    }
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for (kind, id, of) in subjects {
        let mut of: Vec<_> = of
            .iter()
            .filter(|(role, _)| args.role.as_deref().is_none_or(|only| only == *role))
            .collect();
        of.sort_unstable_by_key(|(role, _)| *role);
        let mut value = serde_json::Map::new();
        for (role, entities) in of {
            for entity in entities.clone() {
                rows.push(vec![
                    kind.to_owned(),
                    id.to_string(),
                    role.to_owned(),
                    attributes(entity),
                ]);
            }
            if entities.len() == 0 {
                rows.push(vec![
                    kind.to_owned(),
                    id.to_string(),
                    role.to_owned(),
                    String::new(),
                ]);
            }
            value.insert(role.to_owned(), entities.map(entity_json).collect());
        }
        values.push(json!({"type": kind, "id": id, "roles": value}));
    }
    let born = born(&roles);
    let mut head = vec![("revision".to_owned(), roles.revision().to_owned())];
    head.push(("born".to_owned(), born.clone()));
    if let Some(slug) = &slug {
        head.push(("system".to_owned(), slug.clone()));
    }
    let human = format!(
        "{}\n\n{}",
        pairs(head),
        table(&["subject", "id", "role", "attributes"], rows)
    );
    let value = json!({
        "revision": roles.revision(),
        "born": born,
        "system": slug,
        "subjects": values,
    });
    Ok(Answer::new(human, value))
}

fn check(args: &CheckArgs) -> Result<(Answer, ExitCode), Failure> {
    let (roles, _) = read(&args.file)?;
    let (of, who) = match (args.service, args.uid) {
        (Some(id), _) => (roles.of_service_id(id), format!("service {id}")),
        (None, Some(uid)) => (roles.of_uid(uid), format!("user {uid}")),
        (None, None) => return Err(Failure::usage("no subject: give --service or --uid")),
    };
    let wanted: Vec<_> = args
        .attributes
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let is_allowed = if wanted.is_empty() {
        of.has(&args.role)
    } else {
        of.has_entity(&args.role, &wanted)
    };
    let why = why(of, &args.role, is_allowed);
    let verdict = if is_allowed { "yes" } else { "no" };
    let value = json!({
        "allowed": is_allowed,
        "why": why,
        "revision": roles.revision(),
        "entities": of.entities(&args.role).map(|entities| {
            entities.map(entity_json).collect::<Vec<_>>()
        }),
    });
    let human = pairs([(verdict.to_owned(), format!("{who} {why}"))]);
    Ok((Answer::new(human, value), super::code(is_allowed)))
}

fn why(of: SubjectRoles<'_>, role: &str, is_allowed: bool) -> String {
    let limits: Vec<_> = of
        .entities(role)
        .into_iter()
        .flatten()
        .map(attributes)
        .filter(|text| !text.is_empty())
        .collect();
    match (is_allowed, of.has(role)) {
        (true, _) if limits.is_empty() => format!("has {role}"),
        (true, _) => format!("has {role} with {}", limits.join("; ")),
        (false, true) if limits.is_empty() => format!("has {role}, but not with these attributes"),
        (false, true) => format!("has {role}, but only with {}", limits.join("; ")),
        (false, false) if of.is_known() => format!("does not have {role}"),
        (false, false) => "is not in the document".to_owned(),
    }
}

/// Reads a document and, if it is from a disk cache, the name of its role system.
fn read(path: &Path) -> Result<(Roles, Option<String>), Failure> {
    let place = path.display();
    let fail = |what: String| Failure::usage(format!("the roles {place}: {what}"));
    let bytes = fs::read(path).map_err(|cause| fail(cause.to_string()))?;
    let is_plain = without_mark(&bytes).trim_ascii_start().starts_with(b"{");
    let (document, slug, applied) = if is_plain {
        let text = String::from_utf8(bytes).map_err(|_| fail("not UTF-8".to_owned()))?;
        (text, None, UNIX_EPOCH)
    } else {
        let blob = Blob::unpack(&bytes).map_err(|fault| {
            fail(format!(
                "neither a document nor of a disk cache: {}",
                fault.message()
            ))
        })?;
        let text = blob
            .text()
            .map_err(|fault| fail(fault.message().to_owned()))?;
        let (document, slug) =
            split_roles(text).ok_or_else(|| fail("it names no role system".to_owned()))?;
        let written = Duration::from_secs(u64::try_from(blob.time).unwrap_or(0));
        let applied = UNIX_EPOCH.checked_add(written).unwrap_or(UNIX_EPOCH);
        (document.to_owned(), Some(slug), applied)
    };
    let roles =
        Roles::parse(&document, applied).map_err(|fault| fail(fault.message().to_owned()))?;
    Ok((roles, slug))
}

fn born(roles: &Roles) -> String {
    let born = UNIX_EPOCH.checked_add(Duration::from_secs(roles.born_time()));
    born.map_or_else(|| roles.born_time().to_string(), timestamp::format)
}

fn attributes(entity: &Entity) -> String {
    let pairs = entity.iter().map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join(", ")
}

fn entity_json(entity: &Entity) -> Value {
    entity
        .iter()
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("not KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

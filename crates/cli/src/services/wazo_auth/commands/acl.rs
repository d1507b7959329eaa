//! Evaluates access patterns locally, by the rules of the service.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use vouchsafe::core::text::str_without_mark;
use vouchsafe::wazo_auth::Acl;
use vouchsafe::wazo_auth::acl::{Decision, Rules};

use super::Reach;
use super::server::TOKEN_VARIABLE;
use super::token::exit;
use crate::failure::Failure;
use crate::output::{Answer, table};
use crate::service::Done;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Shows for each access whether patterns cover it, and which one decides; exits with 1 if any
    /// is not covered
    Match(MatchArgs),
}

#[derive(Args, Debug)]
pub(super) struct MatchArgs {
    /// The accesses, such as confd.users.read
    #[arg(required = true)]
    accesses: Vec<String>,
    /// A pattern, such as 'confd.users.*.read' or '!confd.#'; repeat for more [default: those of
    /// the token, from the server]
    #[arg(long = "pattern", value_name = "PATTERN")]
    patterns: Vec<String>,
    /// Reads the patterns from a file: one per line, or a JSON list
    #[arg(long, value_name = "FILE", conflicts_with = "patterns")]
    pattern_file: Option<PathBuf>,
    /// The id that `me` matches
    #[arg(long, value_name = "ID")]
    me: Option<String>,
    /// The id that `my_session` matches
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Decides by the rules of servers before 20.13, which forbid nothing
    #[arg(long)]
    old_rules: bool,
}

pub(super) async fn run(reach: &Reach, Command::Match(args): Command) -> Done {
    let (mut me, mut session) = (args.me, args.session);
    let patterns = match args.pattern_file {
        Some(path) => read_patterns(&path)?,
        None if !args.patterns.is_empty() => args.patterns,
        None => {
            let client = reach.open_client()?;
            let token = reach.token.secret(TOKEN_VARIABLE)?;
            let token = client.token().get(token).send().await?;
            me = me.or(Some(token.auth_id));
            session = session.or(token.session_uuid.map(|uuid| uuid.to_string()));
            token.acl
        }
    };
    let rules = match args.old_rules {
        true => Rules::Old,
        false => Rules::Current,
    };
    let mut acl = Acl::builder().rules(rules);
    if let Some(me) = me {
        acl = acl.auth_id(me);
    }
    if let Some(session) = session {
        acl = acl.session_uuid(session);
    }
    let acl = acl.build(patterns);
    let decisions: Vec<_> = args
        .accesses
        .iter()
        .map(|access| (access, acl.decide(access)))
        .collect();
    let rows = decisions.iter().map(|(access, decision)| {
        let yes = if decision.is_allowed() { "yes" } else { "no" };
        vec![
            (*access).clone(),
            yes.to_owned(),
            pattern(*decision).unwrap_or_default().to_owned(),
        ]
    });
    let human = table(&["access", "covered", "because of"], rows);
    let value = decisions.iter().map(|(access, decision)| {
        json!({"access": access, "covered": decision.is_allowed(), "pattern": pattern(*decision)})
    });
    let is_good = decisions.iter().all(|(_, decision)| decision.is_allowed());
    Ok((Answer::new(human, value.collect()), exit(is_good)))
}

fn pattern(decision: Decision<'_>) -> Option<&str> {
    match decision {
        Decision::Allowed(pattern) | Decision::Forbidden(pattern) => Some(pattern),
        _ => None,
    }
}

/// Reads patterns: one per line, or a JSON list of texts. Empty lines and those that begin with #
/// and a space are ignored: a # alone is a pattern.
pub(super) fn read_patterns(path: &Path) -> Result<Vec<String>, Failure> {
    let fail =
        |cause: &dyn std::fmt::Display| Failure::usage(format!("{}: {cause}", path.display()));
    let text = fs::read_to_string(path).map_err(|cause| fail(&cause))?;
    let text = str_without_mark(&text).trim();
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(|cause| fail(&cause));
    }
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("# "));
    Ok(lines.map(str::to_owned).collect())
}

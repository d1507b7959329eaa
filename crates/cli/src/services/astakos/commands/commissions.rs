//! Commissions, with a service's token.

use clap::{Args, Subcommand};
use serde_json::json;
use vouchsafe::astakos::{
    Client, Commission, CommissionRequest, Dialect, Holder, Provision, Resolution, Serial,
};

use crate::failure::Failure;
use crate::output::{Answer, pairs, table};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists pending commissions
    List {
        /// Only their numbers, which takes a single request
        #[arg(long)]
        short: bool,
    },
    /// Shows a pending commission
    Show {
        /// Its number
        serial: Serial,
    },
    /// Issues a commission and prints its number
    Issue(IssueArgs),
    /// Accepts pending commissions
    Accept {
        /// Their numbers
        #[arg(required = true)]
        serials: Vec<Serial>,
    },
    /// Rejects pending commissions
    Reject {
        /// Their numbers
        #[arg(required = true)]
        serials: Vec<Serial>,
    },
}

#[derive(Args, Debug)]
pub(super) struct IssueArgs {
    /// The user to charge, by uuid
    #[arg(long, value_name = "UUID")]
    user: String,
    /// What to charge to the user and the project; repeat for more. A negative number
    /// releases. Servers before 0.16 know the project `system` only
    #[arg(required = true, value_name = "PROJECT:RESOURCE:NUMBER", value_parser = entry)]
    entries: Vec<(String, String, i64)>,
    /// A name to recognize the commission by while it is pending
    #[arg(long, default_value = "")]
    name: String,
    /// Charges even beyond the limits
    #[arg(long)]
    force: bool,
    /// Accepts the commission at once
    #[arg(long)]
    accept: bool,
}

fn entry(text: &str) -> Result<(String, String, i64), String> {
    let mut parts = text.rsplitn(3, ':');
    let number = parts.next().and_then(|number| number.parse().ok());
    match (parts.next(), parts.next(), number) {
        (Some(resource), Some(project), Some(number))
            if !resource.is_empty() && !project.is_empty() =>
        {
            Ok((project.to_owned(), resource.to_owned(), number))
        }
        _ => Err("not of the form PROJECT:RESOURCE:NUMBER".to_owned()),
    }
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    match command {
        Command::List { short } => list(client, short).await,
        Command::Show { serial } => Ok(shown(&client.commission(serial).await?)),
        Command::Issue(args) => {
            let request = request(client.dialect(), &args.user, args.entries)
                .name(args.name)
                .force(args.force)
                .auto_accept(args.accept);
            let serial = client.issue(&request).await?;
            let value = json!({"serial": serial, "accepted": args.accept});
            Ok(Answer::new(serial.to_string(), value))
        }
        Command::Accept { serials } => resolved(client.resolve(&serials, &[]).await?),
        Command::Reject { serials } => resolved(client.resolve(&[], &serials).await?),
    }
}

impl Command {
    pub(super) fn depends_on_dialect(&self) -> bool {
        matches!(self, Self::Issue(_))
    }
}

/// Creates the request. Servers before 0.16 know only holders without a prefix.
fn request(dialect: Dialect, user: &str, entries: Vec<(String, String, i64)>) -> CommissionRequest {
    if dialect >= Dialect::V016 {
        return CommissionRequest::one(user, entries);
    }
    let bare = |(source, resource, quantity): (String, String, i64)| Provision {
        holder: Holder::Bare(user.to_owned()),
        source: Some(Holder::Bare(source)),
        resource,
        quantity,
    };
    CommissionRequest::raw(entries.into_iter().map(bare))
}

async fn list(client: &Client, short: bool) -> Result<Answer, Failure> {
    let serials = client.pending_commissions().await?;
    if short {
        let lines: Vec<_> = serials.iter().map(Serial::to_string).collect();
        return Ok(Answer::new(lines.join("\n"), json!(serials)));
    }
    let mut found = Vec::new();
    for serial in serials {
        match client.commission(serial).await {
            Ok(commission) => found.push(commission),
            // Resolved since it was listed.
            Err(error) if error.kind() == vouchsafe::astakos::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    let rows = found.iter().map(|commission| {
        vec![
            commission.serial.to_string(),
            commission.issue_time.clone(),
            commission.name.clone(),
            provisioned(commission),
        ]
    });
    let header = ["serial", "issued", "name", "provisions"];
    Ok(Answer::new(table(&header, rows), json!(found)))
}

/// Everything that a commission provisions, in one cell.
fn provisioned(commission: &Commission) -> String {
    let each: Vec<_> = commission
        .provisions
        .iter()
        .map(|one| provision(one).1)
        .collect();
    each.join("; ")
}

fn shown(commission: &Commission) -> Answer {
    let mut rows = vec![
        ("serial".to_owned(), commission.serial.to_string()),
        ("issued".to_owned(), commission.issue_time.clone()),
        ("name".to_owned(), commission.name.clone()),
    ];
    rows.extend(commission.provisions.iter().map(provision));
    Answer::new(pairs(rows), json!(commission))
}

fn provision(provision: &Provision) -> (String, String) {
    let source = match &provision.source {
        Some(source) => format!(" from {source}"),
        None => String::new(),
    };
    let Provision {
        holder,
        resource,
        quantity,
        ..
    } = provision;
    let what = format!("{quantity:+} {resource} for {holder}{source}");
    ("provision".to_owned(), what)
}

/// Reports unresolved commissions as a failure, which also lists the resolved ones.
fn resolved(resolution: Resolution) -> Result<Answer, Failure> {
    let value = json!(resolution);
    if !resolution.failed.is_empty() {
        let failed: Vec<_> = resolution
            .failed
            .iter()
            .map(|failed| format!("{}: {}", failed.0, failed.1))
            .collect();
        let done = [
            &resolution.accepted,
            &resolution.rejected,
            &resolution.earlier,
        ];
        let done: usize = done.iter().map(|list| list.len()).sum();
        let what = format!("{done} resolved; failed: {}", failed.join("; "));
        return Err(Failure::not_found(what));
    }
    let rows = resolution
        .accepted
        .iter()
        .map(|serial| vec![serial.to_string(), "accepted".to_owned()])
        .chain(
            resolution
                .earlier
                .iter()
                .map(|serial| vec![serial.to_string(), "done by an earlier try".to_owned()]),
        )
        .chain(
            resolution
                .rejected
                .iter()
                .map(|serial| vec![serial.to_string(), "rejected".to_owned()]),
        );
    Ok(Answer::new(table(&["serial", "outcome"], rows), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_project_resource_and_number() {
        let good = |project: &str, resource: &str, number| {
            Ok((project.to_owned(), resource.to_owned(), number))
        };
        assert_eq!(entry("p:cyclades.vm:2"), good("p", "cyclades.vm", 2));
        assert_eq!(entry("a:b:r:-1"), good("a:b", "r", -1));
        for bad in ["", "p:r", "p:r:", "p:r:x", ":r:1", "p::1", "p:r:1.5"] {
            assert!(entry(bad).is_err(), "{bad}");
        }
    }
}

//! The sources of a ticket for the commands.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;
use vouchsafe::core::Secret;

use crate::failure::Failure;
use crate::secret::read_secret;

/// The ticket that a command is about.
#[derive(Args, Clone, Debug)]
pub(super) struct TicketInput {
    /// The ticket [default: read from standard input, as with -]. Other users of this machine can
    /// read arguments
    #[arg(value_name = "TICKET")]
    ticket: Option<Secret>,
    /// The ticket, as older tools take it
    #[arg(
        short = 't',
        long = "ticket",
        value_name = "TICKET",
        hide = true,
        conflicts_with = "ticket"
    )]
    named: Option<Secret>,
    /// Reads the ticket from a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ticket", "named"])]
    ticket_file: Option<PathBuf>,
}

impl TicketInput {
    /// Reads the ticket.
    pub(super) fn read(&self) -> Result<Secret, Failure> {
        let given = self.ticket.as_ref().or(self.named.as_ref());
        let (place, read) = match (given, &self.ticket_file) {
            (Some(ticket), _) if ticket.expose() != "-" => return Ok(ticket.trimmed()),
            (_, Some(path)) => {
                let read = File::open(path).and_then(read_secret);
                (format!("the ticket file {}", path.display()), read)
            }
            (None, None) if io::stdin().is_terminal() => {
                return Err(
                    Failure::usage("no ticket was given").hint("pipe it in, or use --ticket-file")
                );
            }
            _ => ("standard input".to_owned(), read_secret(io::stdin().lock())),
        };
        let text =
            read.map_err(|cause| Failure::usage(format!("{place} cannot be read: {cause}")))?;
        // Copying leaves blanks and line breaks around; no ticket has any.
        let ticket = text.trimmed();
        if ticket.is_empty() {
            return Err(Failure::usage(format!("no ticket: {place} is empty")));
        }
        Ok(ticket)
    }
}

/// Returns the ticket in an argument: everything from its first mark on.
pub(crate) fn ticket_in(argument: &str) -> Option<&str> {
    let marks = ["3:serv:", "3:user:"].into_iter();
    let begin = marks.filter_map(|mark| argument.find(mark)).min()?;
    Some(&argument[begin..])
}

//! The page with the outcomes, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use vouchsafe::core::ErrorKind;

/// What came of one fault in one column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    fault: String,
    text: String,
}

impl Cell {
    /// `requests` is how many of them were begun.
    pub(super) fn new(fault: &str, kind: Option<ErrorKind>, requests: usize) -> Self {
        match kind {
            Some(kind) => Self::of(fault, &format!("`{kind:?}`"), requests),
            None => Self::of(fault, "no error", requests),
        }
    }

    /// For a fault that is not met.
    pub(super) fn none(fault: &str) -> Self {
        Self::of(fault, "–", 0)
    }

    pub(super) fn of(fault: &str, what: &str, requests: usize) -> Self {
        let text = match requests {
            0 | 1 => what.to_owned(),
            _ => format!("{what} ×{requests}"),
        };
        Self {
            fault: fault.to_owned(),
            text,
        }
    }
}

/// The outcomes of one operation.
pub(super) struct Row {
    pub(super) operation: &'static str,
    pub(super) parts: Vec<Part>,
}

/// Those in one section of the page: for each column the outcomes of all faults.
pub(super) struct Part {
    pub(super) section: Section,
    pub(super) cells: Vec<Vec<Cell>>,
}

/// A section of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// Writes the page.
pub(super) fn write(rows: &[Row], sections: &[Section]) -> String {
    let mut page = HEAD.to_owned();
    for section in sections {
        let mut groups: BTreeMap<&Vec<Vec<Cell>>, Vec<&str>> = BTreeMap::new();
        for row in rows {
            let parts = row.parts.iter().filter(|part| part.section == *section);
            for part in parts {
                groups.entry(&part.cells).or_default().push(row.operation);
            }
        }
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_by_key(|(_, operations)| (std::cmp::Reverse(operations.len()), operations[0]));
        let mut groups = groups.into_iter();
        let Some((usual, operations)) = groups.next() else {
            continue;
        };
        let heading = section.heading;
        let count = operations.len();
        write!(page, "\n## {heading}\n\n{count} operations").unwrap();
        match groups.len() {
            0 => page += ":\n",
            _ => page += "; what differs for others is below:\n",
        }
        table(&mut page, section, usual, |_| true);
        for (cells, operations) in groups {
            page += "\nFor ";
            page += &listed(&operations);
            page += ":\n";
            let differs = |fault: usize| {
                let mut columns = cells.iter().zip(usual);
                columns.any(|(own, usual)| own[fault] != usual[fault])
            };
            table(&mut page, section, cells, differs);
        }
    }
    page
}

fn table(
    page: &mut String,
    section: &Section,
    cells: &[Vec<Cell>],
    is_shown: impl Fn(usize) -> bool,
) {
    let columns = section.columns;
    writeln!(page, "\n| fault | {} |", columns.join(" | ")).unwrap();
    writeln!(page, "| --- |{}", " --- |".repeat(columns.len())).unwrap();
    for (fault, first) in cells[0].iter().enumerate() {
        if is_shown(fault) {
            let texts: Vec<&str> = cells.iter().map(|column| &*column[fault].text).collect();
            writeln!(page, "| {} | {} |", first.fault, texts.join(" | ")).unwrap();
        }
    }
}

/// Lists operations by their prefixes.
fn listed(operations: &[&str]) -> String {
    let mut by_prefix: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for operation in operations {
        let (prefix, name) = operation.split_once('.').unwrap();
        by_prefix.entry(prefix).or_default().push(name);
    }
    let listed = by_prefix.iter().map(|(prefix, names)| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("{prefix}'s {}", names.join(", "))
    });
    listed.collect::<Vec<_>>().join("; ")
}

/// Compares the page with the one in `docs`, or rewrites that.
pub(super) fn compare(page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    if std::env::var_os("VOUCHSAFE_FAULTS").is_some_and(|value| value == "write") {
        std::fs::write(&file, page).unwrap();
        return;
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let mut lines = known.lines().zip(page.lines());
    let differs = lines.find(|(known, page)| known != page);
    let how = "write docs/faults.md again by `VOUCHSAFE_FAULTS=write cargo test -p vouchsafe-tests \
               --test every faults` and look at what changed";
    assert!(known == page, "{how}; first: {differs:?}");
}

const HEAD: &str = "\
# Faults

What a client does when the network or the server fails: each operation of each service was called
with its default settings, and met each fault at each place. The test `faults` of `tests/tests/every`
takes operations from the tables of the descriptions, derives from a few rules what must come of
each call, and fails if something else does, or if this page is not what it found.
`VOUCHSAFE_FAULTS=write cargo test -p vouchsafe-tests --test every faults` writes the page.

A cell has the kind of the error, and after × the number of requests if there were several. In each
case the test also asserts that

- the call ends within its limit (on paused time): 60 seconds for cloud-credentials, 30 for wazo-auth, 15 for
  others,
- an operation that must not be repeated is sent once at most, if any byte may have left the machine,
- `sent` says whether that was so, and `attempts` how many there were,
- neither the error nor the log at TRACE has a secret, though the server quotes the request in every
  place and refusal,
- afterwards no request is in flight, no task is left, and the next call gets the only permit, is
  sent, and waits for nothing.

Errors of connections (name, socket file, proxy, TLS) are those of real sockets, taken once and repeated
for all operations. The others come from the emulators' transport in process, whose errors are those
over TCP, TLS and socket files, by HTTP/1.1 and by HTTP/2: tests of core compare them, and so does a test
beside the matrix for an operation of each service that may be repeated and one that must not be.

A dash is a fault that HTTP/1.1 does not have, since it has no streams, or one to which the version
makes no difference: connections that are not made, and answers that are whole. `closed before the head`
is a GOAWAY by HTTP/2. A socket file knows no resets: there, the connection closes instead.

A client of tickets whose refresh fails goes on with what it has, and its status is `Ok` until that is old.
";

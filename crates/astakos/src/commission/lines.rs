//! The text of a journal file: a header, then one line for each record. Reading and writing files
//! is in `file`.
//!
//! A line is the first 16 digits of the SHA-256 of the rest, a blank, and the rest:
//!
//! | rest | means | synced before it counts |
//! | --- | --- | --- |
//! | `intent ID` | is about to be issued | yes |
//! | `committing ID SERIAL` | is to be accepted | yes |
//! | `rejecting ID` | is to be rejected, whatever was said before | yes |
//! | `closed ID` | is done | no |
//! | `synced BYTES` | the first `BYTES` bytes of this file survive a power cut | no |
//!
//! A power cut can damage unsynced data in any order. So a damaged line is an error only if a valid
//! `synced` line covers it: no caller has seen a later record succeed, or its loss is harmless. An
//! empty line precedes each `synced`, so that a damaged line end does not merge it with the line
//! before.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use vouchsafe_core::text::hex;

use super::CommissionId;
use super::journal::{Known, Outcome, apply};
use crate::Serial;

/// The first line of a file. Files of the first version have none.
pub(super) const HEADER: &str = "vouchsafe-commissions 2\n";
const NAME: &str = "vouchsafe-commissions ";

/// The maximum size of an open commission: its intent, and a decision with the longest serial.
pub(super) const OPEN_BYTES: u64 = 139;

/// One line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Intent(CommissionId),
    Outcome(CommissionId, Outcome),
    /// The number of bytes, from the start of the file, that are synced.
    Synced(u64),
}

impl Line {
    pub(super) fn text(self) -> String {
        let text = match self {
            Self::Intent(id) => format!("intent {id}"),
            Self::Outcome(id, Outcome::Committing(serial)) => format!("committing {id} {serial}"),
            Self::Outcome(id, Outcome::Rejecting) => format!("rejecting {id}"),
            Self::Outcome(id, Outcome::Closed) => format!("closed {id}"),
            Self::Synced(bytes) => format!("synced {bytes}"),
        };
        let gap = if matches!(self, Self::Synced(_)) {
            "\n"
        } else {
            ""
        };
        format!("{gap}{} {text}\n", checksum(&text))
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
        let (sum, text) = line.split_once(' ')?;
        if sum != checksum(text) {
            return None;
        }
        let mut words = text.split(' ');
        let (kind, of) = (words.next()?, words.next()?);
        let line = match kind {
            "intent" => Self::Intent(of.parse().ok()?),
            "committing" => {
                let serial: Serial = words.next()?.parse().ok()?;
                Self::Outcome(of.parse().ok()?, Outcome::Committing(serial))
            }
            "rejecting" => Self::Outcome(of.parse().ok()?, Outcome::Rejecting),
            "closed" => Self::Outcome(of.parse().ok()?, Outcome::Closed),
            "synced" => Self::Synced(of.parse().ok()?),
            _ => return None,
        };
        words.next().is_none().then_some(line)
    }

    pub(super) fn apply(self, open: &mut Known) {
        match self {
            Self::Intent(id) => {
                open.insert(id, None);
            }
            Self::Outcome(id, outcome) => apply(open, id, outcome),
            Self::Synced(_) => {}
        }
    }
}

fn checksum(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..8])
}

/// Writes a whole file with the open commissions, to be synced as a whole.
pub(super) fn file_of(open: &Known) -> String {
    let mut text = HEADER.to_owned();
    for (&id, &outcome) in open {
        text.push_str(&Line::Intent(id).text());
        if let Some(outcome) = outcome {
            text.push_str(&Line::Outcome(id, outcome).text());
        }
    }
    let synced = Line::Synced(text.len() as u64).text();
    text.push_str(&synced);
    text
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("it is not a journal of commissions: its first line is neither a header nor a record")]
    Foreign,
    #[error("it is of version {0}, which this version of the library cannot read")]
    Version(String),
    #[error("its lines end with CR LF: another program has changed them, so none can be trusted")]
    LineEnds,
    #[error("line {0} is damaged and its record is lost; the file was not changed")]
    Damaged(usize),
}

/// How a file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Empty,
    /// Without a header: no `synced` line covers the others, so none may be damaged.
    First,
    Second,
}

impl Form {
    /// Determines the form by the first bytes of a file, of which [`START`] are enough.
    pub(super) fn of(start: &[u8]) -> Result<Self, Fault> {
        if start.is_empty() {
            return Ok(Self::Empty);
        }
        let Some(end) = start.iter().position(|&byte| byte == b'\n') else {
            return Err(Fault::Foreign);
        };
        let line = &start[..=end];
        if line == HEADER.as_bytes() {
            return Ok(Self::Second);
        }
        if let Some(version) = line.strip_prefix(NAME.as_bytes()) {
            if line.strip_suffix(b"\r\n") == HEADER.as_bytes().strip_suffix(b"\n") {
                return Err(Fault::LineEnds);
            }
            let version = String::from_utf8_lossy(version).trim().to_owned();
            let is_version = version.len() < 10 && version.bytes().all(|b| b.is_ascii_digit());
            return Err(if is_version {
                Fault::Version(version)
            } else {
                Fault::Foreign
            });
        }
        match Line::parse(line) {
            Some(_) => Ok(Self::First),
            None => Err(Fault::Foreign),
        }
    }
}

/// Longer than any line.
pub(super) const START: u64 = 256;

/// The contents of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replayed {
    pub(super) open: Known,
    /// The number of bytes up to the end of the last complete line.
    pub(super) whole: usize,
    /// The number of lines damaged before they were synced, which are not in `open`.
    pub(super) damaged: usize,
    /// The number of bytes that the last line covers, if it is a `synced` line.
    pub(super) synced: Option<u64>,
}

/// Reads a whole file. A last line without an end is incomplete and left out.
pub(super) fn replay(text: &[u8], form: Form) -> Result<Replayed, Fault> {
    let header = if form == Form::Second {
        HEADER.len()
    } else {
        0
    };
    let mut replayed = Replayed {
        open: BTreeMap::new(),
        whole: header,
        damaged: 0,
        synced: None,
    };
    let first = 1 + usize::from(form == Form::Second);
    let mut first_damaged = None;
    let mut vouched = 0;
    let lines = text[header..].split_inclusive(|&byte| byte == b'\n');
    for (number, line) in (first..).zip(lines) {
        if !line.ends_with(b"\n") {
            break;
        }
        let at = replayed.whole as u64;
        replayed.whole += line.len();
        replayed.synced = None;
        match Line::parse(line) {
            // It does not cover itself or later lines.
            Some(Line::Synced(bytes)) if bytes <= at => {
                vouched = vouched.max(bytes);
                replayed.synced = Some(bytes);
            }
            None if line == b"\n" && form == Form::Second => {}
            Some(Line::Synced(_)) | None => {
                replayed.damaged += 1;
                first_damaged.get_or_insert((number, at));
            }
            Some(line) => line.apply(&mut replayed.open),
        }
    }
    match first_damaged {
        Some((number, at)) if form == Form::First || at < vouched => Err(Fault::Damaged(number)),
        _ => Ok(replayed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> CommissionId {
        CommissionId::random().unwrap()
    }

    fn read(text: &[u8]) -> Result<Replayed, Fault> {
        replay(text, Form::of(&text[..text.len().min(256)])?)
    }

    fn serial() -> Serial {
        "17".parse().unwrap()
    }

    /// Two commissions: one decided and synced, then one that is closed and not synced.
    fn file() -> (String, CommissionId, Vec<Line>) {
        let (decided, closed) = (id(), id());
        let serial = serial();
        let mut lines = vec![
            Line::Intent(decided),
            Line::Intent(closed),
            Line::Outcome(decided, Outcome::Committing(serial)),
        ];
        let mut text = HEADER.to_owned();
        for line in &lines {
            text.push_str(&line.text());
        }
        lines.push(Line::Synced(text.len() as u64));
        lines.push(Line::Outcome(closed, Outcome::Closed));
        text.push_str(&lines[3].text());
        text.push_str(&lines[4].text());
        (text, decided, lines)
    }

    #[test]
    fn every_line_reads_back_as_it_was_written() {
        let serial = serial();
        for line in [
            Line::Intent(id()),
            Line::Outcome(id(), Outcome::Committing(serial)),
            Line::Outcome(id(), Outcome::Rejecting),
            Line::Outcome(id(), Outcome::Closed),
            Line::Synced(1 << 40),
        ] {
            let text = line.text();
            let text = text.trim_start();
            assert_eq!(Line::parse(text.as_bytes()), Some(line));
            assert!((text.len() as u64) < START);
            for at in 0..text.len() {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= 1;
                assert_eq!(Line::parse(&bytes), None, "{at}");
            }
        }
    }

    #[test]
    fn any_flipped_bit_in_what_was_synced_is_found_and_named() {
        let (text, decided, lines) = file();
        let synced: usize = HEADER.len() + lines[..3].iter().map(|l| l.text().len()).sum::<usize>();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let newlines = text.as_bytes()[..at]
                    .iter()
                    .filter(|&&b| b == b'\n')
                    .count();
                match read(&bytes) {
                    Err(Fault::Damaged(line)) => {
                        assert!(at < synced);
                        assert_eq!(line, 1 + newlines, "{at}");
                    }
                    Err(_) => assert!(at < HEADER.len()),
                    Ok(read) => {
                        assert!(at >= synced, "{at} was lost");
                        let serial = serial();
                        let known = read.open.get(&decided);
                        assert_eq!(known, Some(&Some(Outcome::Committing(serial))), "{at}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_not_synced_may_be_damaged_in_any_way() {
        let (text, decided, lines) = file();
        let later = Line::Intent(id()).text();
        let mut random = fastrand::Rng::with_seed(1);
        let Line::Synced(from) = lines[3] else {
            panic!("{lines:?}");
        };
        let from = usize::try_from(from).unwrap();
        for _ in 0..1000 {
            let mut bytes = [text.as_bytes(), later.as_bytes()].concat();
            for _ in 0..random.usize(1..20) {
                let at = random.usize(from..bytes.len());
                let byte = random.u8(..);
                bytes[at] = [0, b'\n', b' ', byte][random.usize(..4)];
            }
            bytes.truncate(random.usize(from..=bytes.len()));
            let read = read(&bytes).unwrap();
            assert!(read.open.contains_key(&decided));
        }
    }

    #[test]
    fn a_file_of_the_first_version_is_read_and_may_not_be_damaged() {
        let (text, decided, lines) = file();
        let old: String = [lines[0], lines[2], lines[4]].map(Line::text).concat();
        let replayed = read(old.as_bytes()).unwrap();
        assert_eq!(replayed.open.len(), 1);
        assert!(replayed.open.contains_key(&decided));
        let mut bytes = old.clone().into_bytes();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        assert_eq!(read(&bytes), Err(Fault::Damaged(3)));
        // Unfinished after valid lines, and as the only line.
        let cut = read(&old.as_bytes()[..old.len() - 1]).unwrap();
        assert_eq!(cut.whole, old.len() - lines[4].text().len());
        assert_eq!(read(&old.as_bytes()[..20]), Err(Fault::Foreign));
        assert_eq!(read(&text.as_bytes()[..10]), Err(Fault::Foreign));
    }

    #[test]
    fn other_files_and_newer_journals_have_different_errors() {
        for text in [
            "gt-token\n",
            "{}",
            "\n",
            "\0\0\0",
            "vouchsafe-commissions \n ",
        ] {
            let fault = read(text.as_bytes());
            assert!(
                matches!(fault, Err(Fault::Foreign | Fault::Version(_))),
                "{text}"
            );
        }
        let newer = read(b"vouchsafe-commissions 3\nwhatever");
        assert_eq!(newer, Err(Fault::Version("3".to_owned())));
        let changed = HEADER.replace('\n', "\r\n");
        assert_eq!(read(changed.as_bytes()), Err(Fault::LineEnds));
        assert_eq!(read(b"").unwrap().open.len(), 0);
    }

    #[test]
    fn what_is_to_be_rejected_is_not_accepted_by_a_late_decision() {
        let id = id();
        let serial = serial();
        let mut open = Known::new();
        Line::Intent(id).apply(&mut open);
        Line::Outcome(id, Outcome::Rejecting).apply(&mut open);
        Line::Outcome(id, Outcome::Committing(serial)).apply(&mut open);
        assert_eq!(open.get(&id), Some(&Some(Outcome::Rejecting)));
        let replayed = read(file_of(&open).as_bytes()).unwrap();
        assert_eq!(replayed.open, open);
        assert!(replayed.synced.is_some());
    }
}

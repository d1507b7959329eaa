//! The output of commands: tables for people, JSON for programs. Errors are in `failure.rs`.

use std::io::{self, Write};

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use crate::failure::Failure;
use crate::terminal::{clean, to_json};

/// The result of a command, in both forms.
pub(crate) struct Answer {
    human: String,
    json: Value,
    failure: Option<Failure>,
    is_silent: bool,
}

impl Answer {
    /// Creates a result from a text for people, which may have several lines, and a value for
    /// programs.
    pub(crate) fn new(human: impl Into<String>, json: Value) -> Self {
        Self {
            human: human.into(),
            json,
            failure: None,
            is_silent: false,
        }
    }

    /// Creates a result that is nothing for people to read.
    pub(crate) fn silent(json: Value) -> Self {
        Self {
            is_silent: true,
            ..Self::new("", json)
        }
    }

    /// Adds what was requested but not found: the command prints the rest and then fails.
    pub(crate) fn missing(self, message: impl Into<String>) -> Self {
        self.with_failure(Failure::not_found(message))
    }

    /// Adds what did not succeed: the command prints the result and then fails.
    pub(crate) fn failed(self, message: impl Into<String>) -> Self {
        self.with_failure(Failure::failed(message))
    }

    /// Adds why something else failed: the command prints the result and then fails.
    pub(crate) fn with_failure(mut self, failure: Failure) -> Self {
        self.failure = Some(failure);
        self
    }

    /// Prints the answer to standard output.
    ///
    /// # Errors
    ///
    /// If the output cannot be written, something is [`missing`](Self::missing), or
    /// [`failed`](Self::failed).
    pub(crate) fn print(self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            print_line(&to_json(&self.json))?;
        } else if !self.is_silent && (!self.human.is_empty() || self.failure.is_none()) {
            print_line(self.human.trim_end_matches('\n'))?;
        }
        self.failure.map_or(Ok(()), Err)
    }
}

/// Prints a text and a line break to standard output, and flushes it.
///
/// A reader that closes early (`| head`) is not an error.
pub(crate) fn print_line(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(b"\n"))
        .and_then(|()| out.flush());
    match written {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(Failure::failed(format!(
            "standard output cannot be written: {cause}"
        ))),
        _ => Ok(()),
    }
}

/// Lays out rows under a header, without frames. Cells are cleaned.
pub(crate) fn table(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = plain();
    table.set_header(header.iter().map(|cell| cell.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    finish(flush_left(&mut table))
}

/// Lays out names and values, one pair a line. Cells are cleaned.
pub(crate) fn pairs(rows: impl IntoIterator<Item = (String, String)>) -> String {
    let mut table = plain();
    for (name, value) in rows {
        table.add_row([clean(&name), clean(&value)]);
    }
    finish(flush_left(&mut table))
}

/// Lays out rows under a header in a frame. Cells are cleaned.
pub(crate) fn framed(header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    fit(&mut table);
    table.set_header(header.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    // A sentence is easier to read on two lines than past the edge of the window.
    for column in table.column_iter_mut() {
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(SENTENCE)));
    }
    finish(&table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    fit(&mut table);
    table
}

/// Without frames only the next column needs a distance.
fn flush_left(table: &mut Table) -> &Table {
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    keep_words(table);
    table
}

/// Makes every column as wide as its longest word, if the table has room for that: an id that is
/// split over two lines cannot be copied.
fn keep_words(table: &mut Table) {
    let Some(room) = table.width() else {
        return;
    };
    let longest = |line: &str| line.split(' ').map(UnicodeWidthStr::width).max();
    let mut words = vec![0; table.column_count()];
    let rows = table.row_iter().chain(table.header());
    for (at, cell) in rows.flat_map(|row| row.cell_iter().enumerate()) {
        let width = longest(&cell.content()).unwrap_or_default();
        if let Some(word) = words.get_mut(at) {
            *word = width.max(*word);
        }
    }
    let widths: Vec<_> = words
        .iter()
        .map(|word| u16::try_from(*word).unwrap_or(u16::MAX).saturating_add(GAP))
        .collect();
    if widths
        .iter()
        .map(|width| usize::from(*width))
        .sum::<usize>()
        > usize::from(room)
    {
        return;
    }
    for (column, width) in table.column_iter_mut().zip(widths) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
}

/// Wraps cells to the width of the terminal, or to that in `COLUMNS`.
fn fit(table: &mut Table) {
    let columns = vouchsafe::core::env::var("COLUMNS").ok().flatten();
    let told = columns.and_then(|text| text.trim().parse().ok());
    let width = told.or_else(|| terminal_size::terminal_size_of(io::stdout()).map(|(w, _)| w.0));
    if let Some(width) = width.filter(|&width| width >= NARROWEST) {
        fit_to(table, width);
    }
}

fn fit_to(table: &mut Table, width: u16) {
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width);
}

fn finish(table: &Table) -> String {
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

const SENTENCE: u16 = 68;
/// Between columns without frames.
const GAP: u16 = 2;
/// A narrower terminal gets no table layout.
const NARROWEST: u16 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::steers;

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        let foreign = "a\u{1b}[31m\r\nb\u{9b}2J\u{202e}c\u{7f}";
        let rows = || [vec![foreign.to_owned()]];
        let pair = [("name".to_owned(), foreign.to_owned())];
        for text in [table(&["x"], rows()), framed(&["x"], rows()), pairs(pair)] {
            assert!(!text.chars().any(|c| c != '\n' && steers(c)), "{text:?}");
            assert!(text.contains("[31m"), "{text:?}");
        }
    }

    #[test]
    fn a_table_fits_the_terminal_and_breaks_between_words() {
        let uuid = "0b4c7a1e-6a3f-4d0e-9a55-3f1a2b3c4d5e";
        let sentence = "a sentence of several words that has to go over more lines than one";
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        fit_to(&mut table, 60);
        table.set_header(["NUMBER", "SAYS"]);
        table.add_row([uuid, sentence]);
        let text = finish(flush_left(&mut table));
        assert!(text.contains(uuid), "{text}");
        assert!(text.lines().count() > 3, "{text}");
        assert!(text.lines().all(|line| line.len() <= 60), "{text}");
        let words: Vec<_> = text.split_whitespace().collect();
        assert!(
            sentence.split(' ').all(|word| words.contains(&word)),
            "{text}"
        );
    }

    #[test]
    fn wide_characters_keep_the_columns_straight() {
        let rows = [
            vec!["李李".to_owned(), "1".to_owned()],
            vec!["abcd".to_owned(), "2".to_owned()],
        ];
        let text = table(&["n", "v"], rows);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "李李  1");
        assert_eq!(lines[2], "abcd  2");
    }
}

//! Matches the patterns that the tree cannot decide by walking it: those with more than one way to
//! match a text.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::pattern::{Part, parts};
use super::rules::{Rules, Words};

/// Patterns, starting with the first segment that a walk cannot decide.
#[derive(Clone, Debug, Default)]
pub(super) struct Programs {
    /// By the texts that they begin with, which may be empty.
    programs: HashMap<Box<str>, Vec<Program>, RandomState>,
    /// The lengths of these texts, each once.
    lengths: Vec<usize>,
}

/// The parts of a pattern after the text that it begins with.
#[derive(Clone, Debug)]
struct Program {
    parts: Box<[Part]>,
    /// The index of the pattern in the list.
    pattern: usize,
}

impl Programs {
    /// Adds the rest of a pattern; `is_whole` says whether that is the whole pattern.
    pub(super) fn add(
        &mut self,
        text: &str,
        is_whole: bool,
        index: usize,
        rules: Rules,
        words: &Words,
    ) {
        let parts = parts(text, is_whole, rules, words);
        let (first, parts) = match parts.as_slice() {
            [Part::Text(first), parts @ ..] => (first.as_str(), parts),
            parts => ("", parts),
        };
        if !self.lengths.contains(&first.len()) {
            self.lengths.push(first.len());
        }
        let program = Program {
            parts: parts.into(),
            pattern: index,
        };
        self.programs.entry(first.into()).or_default().push(program);
    }

    /// Returns the index of a pattern that matches a text as a whole.
    pub(super) fn find(&self, text: &str, rules: Rules, words: &Words) -> Option<usize> {
        self.lengths.iter().find_map(|&len| {
            let (first, rest) = text.split_at_checked(len)?;
            let programs = self.programs.get(first)?;
            let found = programs
                .iter()
                .find(|program| program.matches(rest, rules, words))?;
            Some(found.pattern)
        })
    }
}

/// Space on the stack for the positions in a text: up to 512 for usual texts, and 64 KiB for the
/// longest URL that HTTP libraries accept.
const USUAL: usize = 512 / 64;
const LONG: usize = 65_536 / 64;

impl Program {
    /// Returns whether the parts match a text as a whole.
    ///
    /// Keeps the set of positions that the parts so far can reach, and advances all of them by one
    /// part at a time. Takes at most parts times positions steps, whatever the pattern.
    fn matches(&self, text: &str, rules: Rules, words: &Words) -> bool {
        if let Some(Part::Text(last)) = self.parts.last()
            && !text.ends_with(last.as_str())
        {
            return false;
        }
        let cells = text.len() / 64 + 1;
        if cells <= USUAL {
            self.run(Places::new(&mut [0; USUAL]), text, rules, words)
        } else if cells <= LONG {
            self.run(Places::new(&mut [0; LONG]), text, rules, words)
        } else {
            self.run(Places::new(&mut vec![0; cells]), text, rules, words)
        }
    }

    fn run(&self, mut places: Places<'_>, text: &str, rules: Rules, words: &Words) -> bool {
        places.add(0);
        for part in &self.parts {
            let is_possible = match part {
                Part::Text(part) => places.advance(|at, places| {
                    if text.as_bytes()[at..].starts_with(part.as_bytes()) {
                        places.add(at + part.len());
                    }
                }),
                Part::Word(word) => places.advance(|at, places| {
                    if text.as_bytes()[at..].starts_with(word.text().as_bytes()) {
                        places.add(at + word.text().len());
                    }
                    let alternative = words.alternative(*word).unwrap_or_default();
                    if let Some(len) = text.get(at..).and_then(|rest| id(alternative, rest)) {
                        places.add(at + len);
                    }
                }),
                Part::Run => places.spread(text, |byte| !rules.ends_run(byte)),
                Part::Rest => places.spread(text, |byte| byte != b'\n'),
            };
            if !is_possible {
                return false;
            }
        }
        places.has(text.len())
    }
}

/// Returns the length of the prefix of a text that an id matches. The service uses ids as regular
/// expressions, so a dot in an id matches any character except a newline.
fn id(id: &str, text: &str) -> Option<usize> {
    let mut rest = text.chars();
    for expected in id.chars() {
        let found = rest.next()?;
        if found != expected && (expected != '.' || found == '\n') {
            return None;
        }
    }
    Some(text.len() - rest.as_str().len())
}

/// A set of positions in a text, with one bit for each.
struct Places<'c> {
    cells: &'c mut [u64],
    /// All positions are within these bounds, so that few positions advance quickly in a long text.
    least: usize,
    most: usize,
}

impl<'c> Places<'c> {
    fn new(cells: &'c mut [u64]) -> Self {
        Self {
            cells,
            least: usize::MAX,
            most: 0,
        }
    }

    fn add(&mut self, place: usize) {
        self.cells[place / 64] |= 1 << (place % 64);
        self.least = self.least.min(place);
        self.most = self.most.max(place);
    }

    fn has(&self, place: usize) -> bool {
        self.cells[place / 64] >> (place % 64) & 1 == 1
    }

    /// Replaces each position by those that a step adds for it, which are not before it. Returns
    /// whether any are left.
    fn advance(&mut self, mut step: impl FnMut(usize, &mut Self)) -> bool {
        let range = self.least / 64..=self.most / 64;
        (self.least, self.most) = (usize::MAX, 0);
        // From last to first, so that no added position is processed again.
        for cell in range.rev() {
            let mut old = std::mem::take(&mut self.cells[cell]);
            while old != 0 {
                let bit = 63 - old.leading_zeros() as usize;
                old ^= 1 << bit;
                step(cell * 64 + bit, self);
            }
        }
        self.least != usize::MAX
    }

    /// Adds each position that is reached from one in the set over bytes of a class.
    fn spread(&mut self, text: &str, class: impl Fn(u8) -> bool) -> bool {
        let mut at = self.least;
        while at <= self.most && at < text.len() {
            if self.has(at) && class(text.as_bytes()[at]) {
                self.add(at + 1);
            }
            at += 1;
        }
        true
    }
}

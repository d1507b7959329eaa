//! The parts of a pattern.

use super::rules::{Rules, Word, Words};

/// A part of a pattern. Texts include the dots between segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Matches itself.
    Text(String),
    /// `*`: any sequence, possibly empty, of bytes that [`Rules::ends_run`] permits.
    Run,
    /// `#`: any sequence, possibly empty, without newlines.
    Rest,
    /// A whole segment with an alternative.
    Word(Word),
}

/// Splits a pattern, without its `!`, into parts.
pub(super) fn parts(pattern: &str, rules: Rules, words: &Words) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    for (index, segment) in pattern.split('.').enumerate() {
        if index > 0 {
            text.push('.');
        }
        let word = Word::ALL.into_iter().find(|word| word.text() == segment);
        let is_reserved = |word: &Word| {
            let is_old = *word == Word::Me && index > 0;
            (rules == Rules::Current || is_old) && words.alternative(*word).is_some()
        };
        if let Some(word) = word.filter(is_reserved) {
            end_text(&mut text, &mut parts);
            parts.push(Part::Word(word));
            continue;
        }
        for c in segment.chars() {
            let wildcard = match c {
                '*' => Part::Run,
                '#' => Part::Rest,
                c => {
                    text.push(c);
                    continue;
                }
            };
            end_text(&mut text, &mut parts);
            // Two wildcards of a kind match the same as one.
            if parts.last() != Some(&wildcard) {
                parts.push(wildcard);
            }
        }
    }
    end_text(&mut text, &mut parts);
    parts
}

fn end_text(text: &mut String, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}

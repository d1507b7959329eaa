//! The parts of a pattern.

use super::rules::{Rules, Word, Words};

/// Splits a pattern or an access after its first segment.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == b'.') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// How a segment of a pattern matches segments of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Matches itself.
    Text,
    /// `*`: any segment.
    Run,
    /// `#`: any sequence of segments.
    Rest,
    /// Matches itself and an alternative, which is a segment too.
    Word(Word),
    /// Has a wildcard besides other text, or an alternative of several segments.
    Other,
}

/// Returns how a segment matches; `is_first` says whether the pattern begins with it.
pub(super) fn segment(text: &str, is_first: bool, rules: Rules, words: &Words) -> Segment {
    match text {
        "*" => Segment::Run,
        "#" => Segment::Rest,
        _ if text.contains(['*', '#']) => Segment::Other,
        _ => match words.reserved(text, is_first, rules) {
            Some(word) if words.is_segment(word) => Segment::Word(word),
            Some(_) => Segment::Other,
            None => Segment::Text,
        },
    }
}

/// Returns whether what follows the first segment of a pattern matches only as many segments as it
/// has.
pub(super) fn has_fixed_length(after: &str, rules: Rules, words: &Words) -> bool {
    let is_one = |text: &str| {
        let reserved = words.reserved(text, false, rules);
        !text.contains('#') && reserved.is_none_or(|word| words.is_segment(word))
    };
    after.split('.').all(is_one)
}

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

/// Splits a pattern, without its `!`, into parts; `is_whole` says whether it is the whole pattern,
/// or follows other segments.
pub(super) fn parts(pattern: &str, is_whole: bool, rules: Rules, words: &Words) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    for (index, segment) in pattern.split('.').enumerate() {
        if index > 0 {
            text.push('.');
        }
        if let Some(word) = words.reserved(segment, is_whole && index == 0, rules) {
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

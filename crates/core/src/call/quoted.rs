//! Finds secrets in a text, whatever its encoding.
//!
//! A text is searched as it is, after decoding it once, and after decoding the result again. Each
//! decoded byte knows its position in the original text.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use zeroize::Zeroizing;

/// Shorter ones occur in ordinary words, and are easily guessed.
pub(super) const SHORTEST: usize = 3;

/// A secret of at least this length is found anywhere; a shorter one only as a separate word.
const LONG: usize = 8;

/// The maximum number of bytes for one byte of a secret: `&#x0041;` and some more.
pub(super) const MOST_ENCODED: usize = 12;

/// The maximum number of nested encodings.
const DEPTH: usize = 3;

/// The maximum number of bytes searched in addition to the text itself, so that a server cannot
/// keep its client busy with nested encodings. The text itself and one encoding are always
/// searched.
const MOST_READ: usize = 1 << 20;

/// Returns the ranges of secrets, in no particular order; they may overlap.
pub(super) fn find(text: &[u8], needles: &[Zeroizing<Vec<u8>>]) -> Vec<(usize, usize)> {
    let mut search = Search {
        needles,
        windows: windows(needles),
        seen: HashSet::new(),
        read: 0,
        found: Vec::new(),
    };
    if !needles.is_empty() {
        search.view(&View::of(text), DEPTH);
    }
    search.found
}

struct Search<'a> {
    needles: &'a [Zeroizing<Vec<u8>>],
    /// Eight consecutive bytes of a long needle, the index of the needle, and the position in it;
    /// sorted.
    windows: Zeroizing<Vec<(u64, u32, u32)>>,
    /// The hashes of texts that have been searched.
    seen: HashSet<u64>,
    read: usize,
    found: Vec<(usize, usize)>,
}

/// A match has at least half of the needle, so it begins within the first half.
fn windows(needles: &[Zeroizing<Vec<u8>>]) -> Zeroizing<Vec<(u64, u32, u32)>> {
    let long = || {
        needles
            .iter()
            .zip(0..)
            .filter(|(needle, _)| needle.len() >= LONG)
    };
    let starts = |needle: &[u8]| needle.len() - least(needle) + 1;
    let room = long().map(|(needle, _)| starts(needle)).sum();
    // Reserve all of it at once: a buffer that grows leaves copies behind.
    let mut windows = Zeroizing::new(Vec::with_capacity(room));
    for (needle, which) in long() {
        let starts = needle.windows(LONG).zip(0..).take(starts(needle));
        windows.extend(starts.map(|(window, at)| (number(window), which, at)));
    }
    windows.sort_unstable();
    windows
}

fn number(window: &[u8]) -> u64 {
    window
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The number of consecutive bytes of a needle that count as a match.
fn least(needle: &[u8]) -> usize {
    match needle.len() < LONG {
        true => needle.len(),
        false => needle.len().div_ceil(2).max(LONG),
    }
}

impl Search<'_> {
    fn view(&mut self, view: &View, depth: usize) {
        let mut hasher = DefaultHasher::new();
        view.bytes.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return;
        }
        for needle in self.needles.iter().filter(|needle| needle.len() < LONG) {
            self.short(view, needle);
        }
        self.long(view);
        if depth == 0 {
            return;
        }
        for scheme in SCHEMES {
            let is_first = depth == DEPTH;
            let is_marked = view.bytes.iter().any(|byte| scheme.marks.contains(byte));
            if is_marked && (is_first || self.read < MOST_READ) {
                let read = view.read(scheme.unit);
                self.read += read.bytes.len();
                self.view(&read, depth - 1);
            }
        }
    }

    fn short(&mut self, view: &View, needle: &[u8]) {
        for (at, window) in view.bytes.windows(needle.len()).enumerate() {
            let end = at + needle.len();
            if window == needle && !is_in_word(&view.bytes, at, end) {
                self.found.push(view.place(at, end));
            }
        }
    }

    fn long(&mut self, view: &View) {
        for (at, window) in view.bytes.windows(LONG).enumerate() {
            let window = number(window);
            let first = self.windows.partition_point(|known| known.0 < window);
            for &(known, which, from) in &self.windows[first..] {
                if known != window {
                    break;
                }
                let needle = &self.needles[which as usize];
                let from = from as usize;
                // Found already, from an earlier position.
                let is_rest = at > 0 && from > 0 && view.bytes[at - 1] == needle[from - 1];
                if is_rest {
                    continue;
                }
                let pairs = view.bytes[at..].iter().zip(&needle[from..]);
                let length = pairs.take_while(|(one, other)| one == other).count();
                if length >= least(needle) {
                    self.found.push(view.place(at, at + length));
                }
            }
        }
    }
}

/// A decoded text, and the original position of each of its bytes.
struct View {
    bytes: Zeroizing<Vec<u8>>,
    places: Vec<(usize, usize)>,
}

impl View {
    fn of(text: &[u8]) -> Self {
        Self {
            bytes: Zeroizing::new(text.to_vec()),
            places: (0..text.len()).map(|at| (at, at + 1)).collect(),
        }
    }

    /// Decodes an encoding. The result is never longer.
    fn read(&self, unit: fn(&[u8], usize) -> Read) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.bytes.len()));
        let mut places = Vec::with_capacity(self.bytes.len());
        let mut at = 0;
        while let Some((read, next)) = unit(&self.bytes, at).or_else(|| as_it_is(&self.bytes, at)) {
            for byte in read.bytes() {
                bytes.push(*byte);
                places.push(self.place(at, next));
            }
            at = next;
        }
        Self { bytes, places }
    }

    fn place(&self, from: usize, to: usize) -> (usize, usize) {
        (self.places[from].0, self.places[to - 1].1)
    }
}

/// Returns whether a range has letters or digits next to it.
fn is_in_word(text: &[u8], from: usize, to: usize) -> bool {
    let before = from.checked_sub(1).and_then(|at| text.get(at));
    [before, text.get(to)]
        .into_iter()
        .flatten()
        .any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

/// The content at a position of a text, and the next position.
pub(super) type Read = Option<(Unit, usize)>;

/// An encoding of characters.
struct Scheme {
    /// Bytes, one of which occurs in every text with this encoding.
    marks: &'static [u8],
    /// Decodes the content at a position.
    unit: fn(&[u8], usize) -> Read,
}

const SCHEMES: &[Scheme] = &[
    Scheme {
        marks: b"%+",
        unit: percent,
    },
    Scheme {
        marks: b"\\",
        unit: escaped,
    },
    Scheme {
        marks: b"&",
        unit: entity,
    },
    Scheme {
        marks: b"\r\n\t ",
        unit: unspaced,
    },
];

/// One byte, one character, or nothing.
pub(super) struct Unit([u8; 4], usize);

impl Unit {
    fn byte(byte: u8) -> Self {
        Self([byte, 0, 0, 0], 1)
    }

    fn char(char: char) -> Self {
        let mut bytes = [0; 4];
        let length = char.encode_utf8(&mut bytes).len();
        Self(bytes, length)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

fn as_it_is(text: &[u8], at: usize) -> Read {
    text.get(at).map(|byte| (Unit::byte(*byte), at + 1))
}

/// Percent-encoding, that of forms too.
pub(super) fn percent(text: &[u8], at: usize) -> Read {
    match text.get(at)? {
        b'%' => match hex(text, at + 1, 2) {
            Some(code) => Some((Unit::byte(u8::try_from(code).ok()?), at + 3)),
            None => as_it_is(text, at),
        },
        b'+' => Some((Unit::byte(b' '), at + 1)),
        byte => Some((Unit::byte(*byte), at + 1)),
    }
}

/// Escapes of JSON, Python and their like.
fn escaped(text: &[u8], at: usize) -> Read {
    if text.get(at)? != &b'\\' {
        return as_it_is(text, at);
    }
    let letter = *text.get(at + 1)?;
    let unit = match letter {
        b'u' => {
            let Some(high) = hex(text, at + 2, 4) else {
                return as_it_is(text, at);
            };
            if let Some(char) = char::from_u32(high) {
                return Some((Unit::char(char), at + 6));
            }
            // A surrogate pair.
            let low = match text.get(at + 6..at + 8) {
                Some(b"\\u") => hex(text, at + 8, 4),
                _ => None,
            };
            let units = [high, low?].map(|half| u16::try_from(half).unwrap_or_default());
            let char = char::decode_utf16(units).next()?.ok()?;
            return Some((Unit::char(char), at + 12));
        }
        b'x' => match hex(text, at + 2, 2) {
            Some(code) => return Some((Unit::byte(u8::try_from(code).ok()?), at + 4)),
            None => b'x',
        },
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        other => other,
    };
    Some((Unit::byte(unit), at + 2))
}

/// Entities of XML and HTML.
fn entity(text: &[u8], at: usize) -> Read {
    if text.get(at)? != &b'&' {
        return as_it_is(text, at);
    }
    let rest = &text[at + 1..];
    let end = rest
        .iter()
        .take(MOST_ENCODED)
        .position(|byte| *byte == b';');
    let Some(end) = end else {
        return as_it_is(text, at);
    };
    let name = std::str::from_utf8(&rest[..end]).ok()?;
    let char = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let code = name.strip_prefix('#');
            let number = code.and_then(|code| match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => code.parse().ok(),
            });
            number.and_then(char::from_u32)
        }
    };
    match char {
        Some(char) => Some((Unit::char(char), at + end + 2)),
        None => as_it_is(text, at),
    }
}

/// Removes blanks and line ends, which wrapped and folded texts may have anywhere.
fn unspaced(text: &[u8], at: usize) -> Read {
    match text.get(at)? {
        b'\r' | b'\n' | b'\t' | b' ' => Some((Unit([0; 4], 0), at + 1)),
        _ => as_it_is(text, at),
    }
}

fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = std::str::from_utf8(text.get(at..at + digits)?).ok()?;
    match digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => u32::from_str_radix(digits, 16).ok(),
        false => None,
    }
}

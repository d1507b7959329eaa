//! A radix tree of patterns, so that a decision looks only at those that share a prefix with the
//! text.

use super::pattern::Part;
use super::program::Program;
use super::rules::{Rules, Word, Words};

/// Patterns as a radix tree over their texts. A node may be followed by texts that differ in their
/// first byte, a `*` that ends with its segment, or a reserved word. A node is reached at one
/// position of the text at most, so a walk visits each node once.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// The text that leads here; empty if a `*` or a word does.
    text: Box<[u8]>,
    /// Nodes by the first bytes of their texts, sorted.
    texts: Vec<(u8, usize)>,
    run: Option<usize>,
    words: [Option<usize>; Word::ALL.len()],
    /// The pattern that ends here.
    end: Option<usize>,
    /// The pattern that ends here with a `#`.
    rest: Option<usize>,
    programs: Vec<Program>,
}

/// The maximum number of wildcards and words on the path to a node, since the walk recurses on
/// them. Longer patterns are left to a [`Program`].
const DEEPEST: usize = 16;

const ROOT: usize = 0;

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// Adds a pattern, which is known by its index in the list.
    pub(super) fn add(&mut self, parts: &[Part], pattern: usize, words: &Words) {
        let mut at = ROOT;
        let mut depth = 0;
        let mut rest = parts;
        loop {
            match rest {
                [] => {
                    self.nodes[at].end.get_or_insert(pattern);
                    return;
                }
                [Part::Rest] => {
                    self.nodes[at].rest.get_or_insert(pattern);
                    return;
                }
                [Part::Text(text), after @ ..] => {
                    at = self.add_text(at, text.as_bytes());
                    rest = after;
                    continue;
                }
                [Part::Run, after @ ..] if depth < DEEPEST && ends_segment(after) => {
                    at = self.next(at, |node| &mut node.run);
                    rest = after;
                }
                [Part::Word(word), after @ ..] if depth < DEEPEST && words.is_segment(*word) => {
                    at = self.next(at, |node| &mut node.words[*word as usize]);
                    rest = after;
                }
                _ => {
                    let parts = rest.into();
                    self.nodes[at].programs.push(Program { parts, pattern });
                    return;
                }
            }
            depth += 1;
        }
    }

    /// Returns the node that a field of another refers to, which is created if it is missing.
    fn next(&mut self, at: usize, field: impl Fn(&mut Node) -> &mut Option<usize>) -> usize {
        let new = self.nodes.len();
        let next = *field(&mut self.nodes[at]).get_or_insert(new);
        if next == new {
            self.nodes.push(Node::default());
        }
        next
    }

    /// Returns the node that a text leads to from another, splitting nodes as needed.
    fn add_text(&mut self, mut at: usize, mut text: &[u8]) -> usize {
        while let Some(first) = text.first() {
            let new = self.nodes.len();
            match find(&self.nodes[at].texts, *first) {
                Err(place) => {
                    self.nodes[at].texts.insert(place, (*first, new));
                    self.nodes.push(Node::of(text));
                    return new;
                }
                Ok(place) => {
                    let below = self.nodes[at].texts[place].1;
                    let old = std::mem::take(&mut self.nodes[below].text);
                    let common = old.iter().zip(text).take_while(|(a, b)| a == b).count();
                    let (shared, own) = old.split_at(common);
                    if own.is_empty() {
                        at = below;
                    } else {
                        let mut split = Node::of(shared);
                        split.texts.push((own[0], below));
                        self.nodes.push(split);
                        self.nodes[at].texts[place].1 = new;
                        at = new;
                    }
                    self.nodes[below].text = if own.is_empty() { shared } else { own }.into();
                    text = &text[common..];
                }
            }
        }
        at
    }

    /// Returns the index of a pattern that matches a text, where a newline may follow.
    pub(super) fn find(&self, text: &str, rules: Rules, words: &Words) -> Option<usize> {
        let find = |text: &str| {
            let walk = Walk {
                nodes: &self.nodes,
                text,
                rules,
                words,
            };
            walk.find(ROOT, 0)
        };
        find(text).or_else(|| find(text.strip_suffix('\n')?))
    }
}

impl Node {
    fn of(text: &[u8]) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }
}

fn find(texts: &[(u8, usize)], first: u8) -> Result<usize, usize> {
    texts.binary_search_by_key(&first, |(byte, _)| *byte)
}

/// Returns whether a `*` before these parts ends where its segment ends.
fn ends_segment(after: &[Part]) -> bool {
    match after {
        [] => true,
        [Part::Text(text), ..] => text.starts_with('.'),
        _ => false,
    }
}

/// A walk through the tree along a text.
struct Walk<'a> {
    nodes: &'a [Node],
    text: &'a str,
    rules: Rules,
    words: &'a Words,
}

impl Walk<'_> {
    /// Finds a pattern at or below a node that matches the text from a position on.
    fn find(&self, node: usize, mut at: usize) -> Option<usize> {
        let text = self.text.as_bytes();
        let mut node = &self.nodes[node];
        loop {
            if at == text.len() && node.end.is_some() {
                return node.end;
            }
            if node.rest.is_some() && !text[at..].contains(&b'\n') {
                return node.rest;
            }
            let found = self
                .below_words(node, at)
                .or_else(|| self.in_programs(node, at));
            if found.is_some() {
                return found;
            }
            let place = find(&node.texts, *text.get(at)?).ok()?;
            node = &self.nodes[node.texts[place].1];
            if !text[at..].starts_with(&node.text) {
                return None;
            }
            at += node.text.len();
        }
    }

    fn below_words(&self, node: &Node, at: usize) -> Option<usize> {
        if let Some(run) = node.run {
            let rest = self.text[at..].bytes();
            let len = rest.take_while(|byte| !self.rules.ends_run(*byte)).count();
            if let Some(found) = self.find(run, at + len) {
                return Some(found);
            }
        }
        for word in Word::ALL {
            let Some(next) = node.words[word as usize] else {
                continue;
            };
            let rest = &self.text[at..];
            let segment = rest.split_once('.').map_or(rest, |(segment, _)| segment);
            let is_it = segment == word.text() || Some(segment) == self.words.alternative(word);
            if is_it && let Some(found) = self.find(next, at + segment.len()) {
                return Some(found);
            }
        }
        None
    }

    fn in_programs(&self, node: &Node, at: usize) -> Option<usize> {
        let matches =
            |program: &&Program| program.matches(&self.text[at..], self.rules, self.words);
        node.programs
            .iter()
            .find(matches)
            .map(|program| program.pattern)
    }
}

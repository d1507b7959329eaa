//! A tree of patterns by their segments, so that a decision looks only at those that begin like the
//! text.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::pattern::{Segment, has_fixed_length, segment, split};
use super::program::Programs;
use super::rules::{Rules, Word, Words};

/// Patterns as a tree: each step is one segment of a pattern and of the text. A node is reached at
/// one position of the text at most, so a walk visits each node once.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// Nodes by the segments that lead there.
    texts: HashMap<Box<str>, usize, RandomState>,
    run: Option<usize>,
    words: [Option<usize>; Word::ALL.len()],
    /// Nodes behind a `#`, by the number of segments that follow.
    rests: BTreeMap<usize, usize>,
    /// The pattern that ends here.
    end: Option<usize>,
    /// The pattern that ends here with a `#`.
    rest: Option<usize>,
    /// Boxed, since few nodes have any.
    programs: Option<Box<Programs>>,
}

/// The maximum number of wildcards and words on the path to a node, since the walk recurses on
/// them. Longer patterns are left to [`Programs`].
const DEEPEST: usize = 16;

const ROOT: usize = 0;

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// Adds a pattern, which is known by its index in the list.
    pub(super) fn add(&mut self, pattern: &str, index: usize, rules: Rules, words: &Words) {
        let mut at = ROOT;
        let mut depth = 0;
        let mut rest = Some(pattern);
        while let Some(text) = rest {
            let (first, after) = split(text);
            let is_first = text.len() == pattern.len();
            let new = self.nodes.len();
            let node = &mut self.nodes[at];
            let kind = segment(first, is_first, rules, words);
            let next = match (kind, after) {
                (Segment::Text, _) => *node.texts.entry(first.into()).or_insert(new),
                (Segment::Rest, None) => {
                    node.rest.get_or_insert(index);
                    return;
                }
                (Segment::Run, _) if depth < DEEPEST => *node.run.get_or_insert(new),
                (Segment::Word(word), _) if depth < DEEPEST => {
                    *node.words[word as usize].get_or_insert(new)
                }
                (Segment::Rest, Some(after))
                    if depth < DEEPEST && has_fixed_length(after, rules, words) =>
                {
                    let count = after.split('.').count();
                    *node.rests.entry(count).or_insert(new)
                }
                _ => {
                    let programs = node.programs.get_or_insert_default();
                    programs.add(text, is_first, index, rules, words);
                    return;
                }
            };
            depth += usize::from(kind != Segment::Text);
            if next == new {
                self.nodes.push(Node::default());
            }
            (at, rest) = (next, after);
        }
        self.nodes[at].end.get_or_insert(index);
    }

    /// Returns the index of a pattern that matches a text, where a newline may follow.
    pub(super) fn find(&self, text: &str, rules: Rules, words: &Words) -> Option<usize> {
        let find = |text: &str| {
            let walk = Walk {
                nodes: &self.nodes,
                rules,
                words,
            };
            walk.find(ROOT, Some(text))
        };
        find(text).or_else(|| find(text.strip_suffix('\n')?))
    }
}

/// A walk through the tree along a text.
struct Walk<'a> {
    nodes: &'a [Node],
    rules: Rules,
    words: &'a Words,
}

impl Walk<'_> {
    /// Finds a pattern at or below a node that matches the rest of a text: the segments that
    /// follow, if any do.
    fn find(&self, node: usize, mut rest: Option<&str>) -> Option<usize> {
        let mut node = &self.nodes[node];
        while let Some(text) = rest {
            if node.rest.is_some() && !text.contains('\n') {
                return node.rest;
            }
            let (segment, after) = split(text);
            let found = self
                .behind_words(node, segment, after)
                .or_else(|| self.behind_rests(node, text))
                .or_else(|| node.programs.as_ref()?.find(text, self.rules, self.words));
            if found.is_some() {
                return found;
            }
            node = &self.nodes[*node.texts.get(segment)?];
            rest = after;
        }
        node.end
    }

    fn behind_words(&self, node: &Node, segment: &str, after: Option<&str>) -> Option<usize> {
        if let Some(run) = node.run
            && self.rules.is_run(segment)
            && let Some(found) = self.find(run, after)
        {
            return Some(found);
        }
        for word in Word::ALL {
            let Some(next) = node.words[word as usize] else {
                continue;
            };
            let is_it = segment == word.text() || Some(segment) == self.words.alternative(word);
            if is_it && let Some(found) = self.find(next, after) {
                return Some(found);
            }
        }
        None
    }

    fn behind_rests(&self, node: &Node, text: &str) -> Option<usize> {
        node.rests.iter().find_map(|(&count, &next)| {
            let (at, _) = text.rmatch_indices('.').nth(count - 1)?;
            let after = text.get(at + 1..)?;
            let is_rest = !text[..at].contains('\n');
            is_rest.then(|| self.find(next, Some(after)))?
        })
    }
}

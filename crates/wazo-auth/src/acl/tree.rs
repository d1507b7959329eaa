//! A tree of patterns by their segments, so that a decision looks only at those that begin like the
//! text.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::num::NonZeroUsize;

use foldhash::fast::RandomState;

use super::pattern::{Segment, has_fixed_length, segment, split};
use super::program::Programs;
use super::rules::{Rules, Word, Words};

/// Patterns as a tree: each step is one segment of a pattern and of the text. A node is reached at
/// one position of the text at most, so a walk visits each node once.
#[derive(Clone, Debug)]
pub(super) struct Tree<S = RandomState> {
    nodes: Vec<Node>,
    /// Nodes that a text leads to, by the hash of the node above and the text. One table for all
    /// nodes takes a third of the memory of a table for each: a long list must not become a much
    /// larger tree.
    below: HashMap<u64, NonZeroUsize, S>,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// What leads here from the node above, if it is a text.
    text: Box<str>,
    above: usize,
    run: Option<NonZeroUsize>,
    words: [Option<NonZeroUsize>; Word::ALL.len()],
    /// The pattern that ends here.
    end: Option<usize>,
    /// The pattern that ends here with a `#`.
    rest: Option<usize>,
    /// Boxed, since few nodes have any.
    others: Option<Box<Others>>,
}

#[derive(Clone, Debug, Default)]
struct Others {
    /// Nodes behind a `#`, by the number of segments that follow.
    rests: BTreeMap<usize, NonZeroUsize>,
    programs: Programs,
}

/// The maximum number of wildcards and words on the path to a node, since the walk recurses on
/// them. Longer patterns are left to [`Programs`].
const DEEPEST: usize = 16;

const ROOT: usize = 0;

impl<S: BuildHasher + Default> Tree<S> {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
            below: HashMap::default(),
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
            let kind = segment(first, is_first, rules, words);
            if (kind, after) == (Segment::Rest, None) {
                self.nodes[at].rest.get_or_insert(index);
                return;
            }
            let is_fixed = || after.is_some_and(|after| has_fixed_length(after, rules, words));
            let is_step = match kind {
                Segment::Text => true,
                Segment::Run | Segment::Word(_) => depth < DEEPEST,
                Segment::Rest => depth < DEEPEST && is_fixed(),
                Segment::Other => false,
            };
            let next = match is_step {
                true => self.next(at, kind, first, after),
                false => None,
            };
            let Some(next) = next else {
                let others = self.nodes[at].others.get_or_insert_default();
                others.programs.add(text, is_first, index, rules, words);
                return;
            };
            depth += usize::from(kind != Segment::Text);
            (at, rest) = (next.get(), after);
        }
        self.nodes[at].end.get_or_insert(index);
    }

    /// Returns the node that a segment leads to, which is created if it is missing; `None` if there
    /// can be none, since two texts have the same hash.
    fn next(
        &mut self,
        at: usize,
        kind: Segment,
        text: &str,
        after: Option<&str>,
    ) -> Option<NonZeroUsize> {
        let new = NonZeroUsize::new(self.nodes.len())?;
        let key = key(&self.below, at, text);
        let node = &mut self.nodes[at];
        let next = match kind {
            Segment::Text => *self.below.entry(key).or_insert(new),
            Segment::Run => *node.run.get_or_insert(new),
            Segment::Word(word) => *node.words[word as usize].get_or_insert(new),
            Segment::Rest | Segment::Other => {
                let count = after?.split('.').count();
                let others = node.others.get_or_insert_default();
                *others.rests.entry(count).or_insert(new)
            }
        };
        if next == new {
            self.nodes.push(Node {
                text: if kind == Segment::Text { text } else { "" }.into(),
                above: at,
                ..Node::default()
            });
        }
        let is_it = kind != Segment::Text || self.nodes[next.get()].is_below(at, text);
        is_it.then_some(next)
    }

    /// Returns the index of a pattern that matches a text, where a newline may follow.
    pub(super) fn find(&self, text: &str, rules: Rules, words: &Words) -> Option<usize> {
        let find = |text: &str| {
            let walk = Walk {
                tree: self,
                rules,
                words,
            };
            walk.find(ROOT, Some(text))
        };
        find(text).or_else(|| find(text.strip_suffix('\n')?))
    }
}

impl Node {
    fn is_below(&self, above: usize, text: &str) -> bool {
        self.above == above && *self.text == *text
    }
}

fn key<S: BuildHasher>(below: &HashMap<u64, NonZeroUsize, S>, at: usize, text: &str) -> u64 {
    below.hasher().hash_one((at, text))
}

/// A walk through the tree along a text.
struct Walk<'a, S> {
    tree: &'a Tree<S>,
    rules: Rules,
    words: &'a Words,
}

impl<S: BuildHasher> Walk<'_, S> {
    /// Finds a pattern at or below a node that matches the rest of a text: the segments that
    /// follow, if any do.
    fn find(&self, mut at: usize, mut rest: Option<&str>) -> Option<usize> {
        let Tree { nodes, below } = self.tree;
        while let Some(text) = rest {
            let node = &nodes[at];
            if node.rest.is_some() && !text.contains('\n') {
                return node.rest;
            }
            let (segment, after) = split(text);
            let found = self
                .behind_words(node, segment, after)
                .or_else(|| self.by_others(node.others.as_ref()?, text));
            if found.is_some() {
                return found;
            }
            let next = below.get(&key(below, at, segment))?.get();
            if !nodes[next].is_below(at, segment) {
                return None;
            }
            (at, rest) = (next, after);
        }
        nodes[at].end
    }

    fn behind_words(&self, node: &Node, segment: &str, after: Option<&str>) -> Option<usize> {
        if let Some(run) = node.run
            && self.rules.is_run(segment)
            && let Some(found) = self.find(run.get(), after)
        {
            return Some(found);
        }
        for word in Word::ALL {
            let Some(next) = node.words[word as usize] else {
                continue;
            };
            let is_it = segment == word.text() || Some(segment) == self.words.alternative(word);
            if is_it && let Some(found) = self.find(next.get(), after) {
                return Some(found);
            }
        }
        None
    }

    fn by_others(&self, others: &Others, text: &str) -> Option<usize> {
        let behind_rest = |(count, next): (&usize, &NonZeroUsize)| {
            let (at, _) = text.rmatch_indices('.').nth(count - 1)?;
            let after = text.get(at + 1..)?;
            let is_rest = !text[..at].contains('\n');
            is_rest.then(|| self.find(next.get(), Some(after)))?
        };
        let found = others.rests.iter().find_map(behind_rest);
        found.or_else(|| others.programs.find(text, self.rules, self.words))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::Hasher;

    use super::*;

    /// Gives everything the same hash.
    #[derive(Clone, Copy, Default)]
    struct Alike;

    impl BuildHasher for Alike {
        type Hasher = Self;

        fn build_hasher(&self) -> Self {
            Self
        }
    }

    impl Hasher for Alike {
        fn write(&mut self, _: &[u8]) {}

        fn finish(&self) -> u64 {
            0
        }
    }

    #[test]
    fn texts_with_the_same_hash_are_told_apart() {
        let patterns = ["a.b", "a.c", "b.*.d", "a.#.e", "f.edit", "a.b.#", "#.g.h"];
        let words = Words::default();
        let (mut usual, mut alike) = (Tree::<RandomState>::new(), Tree::<Alike>::new());
        for (index, pattern) in patterns.iter().enumerate() {
            usual.add(pattern, index, Rules::Current, &words);
            alike.add(pattern, index, Rules::Current, &words);
        }
        let mut count = 0;
        for access in [
            "a.b", "a.c", "b.c.d", "a.x.e", "f.update", "a.b.z", "x.g.h", "a", "b", "a.d", "c",
            "f", "b.d", "g.h", "b.c.e",
        ] {
            let found = usual.find(access, Rules::Current, &words);
            assert_eq!(
                alike.find(access, Rules::Current, &words),
                found,
                "{access}"
            );
            count += usize::from(found.is_some());
        }
        assert_eq!(count, patterns.len());
    }
}

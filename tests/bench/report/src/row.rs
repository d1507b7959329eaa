//! What a benchmark finds: a figure of ours, and that of a peer from the same run.

use serde::{Deserialize, Serialize};

/// What a case takes, measured in each of a few parts of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure(Vec<f64>);

impl Figure {
    /// # Panics
    ///
    /// Without any part.
    pub fn of_parts(parts: Vec<f64>) -> Self {
        assert!(!parts.is_empty(), "a figure of nothing");
        Self(parts)
    }

    /// A count, or a time that was taken once.
    pub fn once(value: f64) -> Self {
        Self(vec![value])
    }

    /// Returns the median of the parts.
    pub fn median(&self) -> f64 {
        self.spread().median
    }

    /// Puts two figures together part by part; one that was taken once counts for each part.
    ///
    /// # Panics
    ///
    /// If both have several parts, and not the same number: then they are not from the same rounds.
    pub fn with(&self, other: &Self, put: impl Fn(f64, f64) -> f64) -> Self {
        let (ours, theirs) = (&self.0, &other.0);
        let count = ours.len().max(theirs.len());
        let is_even = |parts: &Vec<f64>| [1, count].contains(&parts.len());
        assert!(is_even(ours) && is_even(theirs), "figures of other rounds");
        let at = |parts: &Vec<f64>, part: usize| parts[part % parts.len()];
        let parts = (0..count).map(|part| put(at(ours, part), at(theirs, part)));
        Self(parts.collect())
    }

    /// Divides another figure by this one.
    fn below(&self, peer: &Self) -> Self {
        self.with(peer, |ours, peer| peer / ours)
    }

    fn spread(&self) -> Spread {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        };
        Spread {
            parts: sorted.len(),
            min: tidy(sorted[0]),
            median: tidy(median),
            max: tidy(sorted[sorted.len() - 1]),
        }
    }
}

/// Keeps three digits after the point.
fn tidy(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// How far the parts of a run are apart.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Spread {
    /// How many parts there were: 1 for what is counted.
    pub parts: usize,
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

/// One figure of ours.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    pub case: String,
    pub unit: String,
    pub ours: Spread,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Peer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// What another takes for the same.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Peer {
    pub name: String,
    pub figure: Spread,
    /// Peer by ours, in each part: above 1 we are better.
    pub ratio: Spread,
}

/// A limit for the ratio, if there is a peer, or else for the figure.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Row {
    /// A figure without a peer.
    pub fn alone(case: impl Into<String>, unit: &str, ours: &Figure) -> Self {
        Self {
            case: case.into(),
            unit: unit.to_owned(),
            ours: ours.spread(),
            peer: None,
            goal: None,
        }
    }

    pub fn beside(
        case: impl Into<String>,
        unit: &str,
        ours: &Figure,
        peer: &str,
        figure: &Figure,
    ) -> Self {
        let peer = Peer {
            name: peer.to_owned(),
            figure: figure.spread(),
            ratio: ours.below(figure).spread(),
        };
        Self {
            peer: Some(peer),
            ..Self::alone(case, unit, ours)
        }
    }

    /// Compares the first figure with each of the others.
    pub fn beside_all(case: &str, unit: &str, names: &[&str], figures: &[Figure]) -> Vec<Self> {
        let peers = names.iter().zip(figures).skip(1);
        peers
            .map(|(peer, figure)| Self::beside(case, unit, &figures[0], peer, figure))
            .collect()
    }

    /// Returns whether this is beside the peer of that name.
    pub fn is_beside(&self, name: &str) -> bool {
        self.peer.as_ref().is_some_and(|peer| peer.name == name)
    }

    #[must_use]
    pub fn at_least(mut self, limit: f64) -> Self {
        self.goal = Some(Goal::AtLeast(limit));
        self
    }

    #[must_use]
    pub fn at_most(mut self, limit: f64) -> Self {
        self.goal = Some(Goal::AtMost(limit));
        self
    }

    /// Returns whether the goal is met, if there is one.
    pub fn is_met(&self) -> Option<bool> {
        let value = self.peer.as_ref().map_or(self.ours, |peer| peer.ratio);
        self.goal.map(|goal| match goal {
            Goal::AtLeast(limit) => value.median >= limit,
            Goal::AtMost(limit) => value.median <= limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_in_each_part_and_not_of_the_medians() {
        // The second part was slow for both: the ratio of the medians would be 3.
        let ours = Figure::of_parts(vec![10.0, 100.0, 10.0]);
        let peer = Figure::of_parts(vec![20.0, 200.0, 30.0]);
        let row = Row::beside("a case", "ns", &ours, "a peer", &peer);
        let ratio = row.peer.unwrap().ratio;
        assert_eq!(
            (ratio.parts, ratio.min, ratio.median, ratio.max),
            (3, 2.0, 2.0, 3.0)
        );
        assert_eq!(
            (row.ours.min, row.ours.median, row.ours.max),
            (10.0, 10.0, 100.0)
        );
    }

    #[test]
    fn what_was_taken_once_is_beside_each_part() {
        let row = Row::beside(
            "a case",
            "us",
            &Figure::of_parts(vec![2.0, 4.0]),
            "Python",
            &Figure::once(8.0),
        );
        let ratio = row.peer.unwrap().ratio;
        assert_eq!(
            (ratio.parts, ratio.min, ratio.median, ratio.max),
            (2, 2.0, 3.0, 4.0)
        );
    }

    #[test]
    #[should_panic(expected = "other rounds")]
    fn figures_of_different_rounds_are_not_divided() {
        let of = |parts: usize| Figure::of_parts(vec![1.0; parts]);
        let _ = Row::beside("a case", "ns", &of(3), "a peer", &of(5));
    }

    #[test]
    fn a_goal_is_for_the_ratio_or_else_for_the_figure() {
        let (one, two) = (Figure::once(1.0), Figure::once(2.0));
        let beside = || Row::beside("a case", "ns", &one, "a peer", &two);
        assert_eq!(beside().is_met(), None);
        assert_eq!(beside().at_least(2.0).is_met(), Some(true));
        assert_eq!(beside().at_least(2.1).is_met(), Some(false));
        let alone = || Row::alone("a case", "ns", &one);
        assert_eq!(alone().at_most(1.0).is_met(), Some(true));
        assert_eq!(alone().at_most(0.9).is_met(), Some(false));
        assert_eq!(alone().at_least(1.1).is_met(), Some(false));
    }
}

//! The findings of a run, for each case and in total.

use std::collections::BTreeMap;
use std::fmt;

/// The result of a run over vectors.
///
/// `Display` prints each failure with its differences, then the omissions by rule, and ends with
/// one line of counts.
#[derive(Clone, Debug, Default)]
pub struct Report {
    passed: usize,
    skipped: usize,
    failures: Vec<Failure>,
    /// The number of cases, rows or steps that each rule omitted.
    waived: BTreeMap<&'static str, usize>,
    /// The services without vectors.
    missing: Vec<&'static str>,
}

/// A case with differences.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The case, `class/name`.
    pub id: String,
    /// What differs, one line each.
    pub differences: Vec<String>,
}

impl Report {
    /// Returns how many cases passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// Returns how many cases were omitted entirely.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Returns the cases that failed.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Records the services without vectors.
    pub(super) fn note_missing(&mut self, services: Vec<&'static str>) {
        self.missing = services;
    }

    pub(super) fn add(&mut self, id: &str, judgement: Judgement) {
        for rule in judgement.waived {
            *self.waived.entry(rule).or_default() += 1;
        }
        if !judgement.differences.is_empty() {
            self.failures.push(Failure {
                id: id.to_owned(),
                differences: judgement.differences,
            });
        } else if judgement.judged == 0 {
            self.skipped += 1;
        } else {
            self.passed += 1;
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "FAILED {}", failure.id)?;
            for line in &failure.differences {
                writeln!(f, "    {line}")?;
            }
        }
        for (rule, count) in &self.waived {
            writeln!(f, "left out {count} by rule: {rule}")?;
        }
        for service in &self.missing {
            writeln!(f, "no vectors of {service}: nothing was judged")?;
        }
        write!(
            f,
            "vectors: {} passed, {} failed, {} skipped",
            self.passed,
            self.failures.len(),
            self.skipped
        )
    }
}

/// The findings while one case is judged.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    judged: usize,
    differences: Vec<String>,
    waived: Vec<&'static str>,
    place: String,
}

impl Judgement {
    /// Names the step or row that what follows belongs to.
    pub(super) fn at(&mut self, place: impl Into<String>) {
        self.place = place.into();
    }

    /// Counts something as judged, whatever came out.
    pub(super) fn judged(&mut self) {
        self.judged += 1;
    }

    /// Returns whether anything was judged.
    pub(super) fn is_judged(&self) -> bool {
        self.judged > 0
    }

    /// Returns what differs.
    pub(super) fn differences(&self) -> &[String] {
        &self.differences
    }

    /// Returns the rule by which something was omitted.
    pub(super) fn rule(&self) -> Option<&'static str> {
        self.waived.first().copied()
    }

    /// Compares values, and notes a difference.
    pub(super) fn compare<T: fmt::Debug + PartialEq>(&mut self, what: &str, expected: &T, got: &T) {
        match expected == got {
            true => self.judged(),
            false => self.differ(format!("{what}: expected {expected:?}, got {got:?}")),
        }
    }

    /// Notes a difference.
    pub(super) fn differ(&mut self, what: impl AsRef<str>) {
        let what = what.as_ref();
        self.differences.push(if self.place.is_empty() {
            what.to_owned()
        } else {
            format!("{}: {what}", self.place)
        });
    }

    /// Omits a row, a step or the whole case, by a rule that says why.
    pub(super) fn waive(&mut self, rule: &'static str) {
        self.waived.push(rule);
    }
}

/// The outcome of a replayed call.
pub(crate) enum Recorded {
    /// The same requests, and the same outcome.
    Same,
    /// What differs.
    Different(Vec<String>),
    /// It was omitted, by this rule.
    NotMade(&'static str),
}

impl Recorded {
    pub(super) fn of(judgement: Judgement) -> Self {
        match (judgement.is_judged(), judgement.rule()) {
            (true, _) | (false, None) if !judgement.differences().is_empty() => {
                Self::Different(judgement.differences().to_vec())
            }
            (false, rule) => Self::NotMade(rule.unwrap_or("nothing was judged")),
            (true, _) => Self::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_and_failures_come_with_their_differences() {
        let mut report = Report::default();
        let mut good = Judgement::default();
        good.judged();
        report.add("a/good", good);
        let mut bad = Judgement::default();
        bad.judged();
        bad.at("step 2");
        bad.differ("status: expected 200, got 500");
        report.add("a/bad", bad);
        let mut out = Judgement::default();
        out.waive("a reason");
        report.add("a/out", out);
        report.note_missing(vec!["b"]);
        assert_eq!(
            report.to_string(),
            "FAILED a/bad\n    step 2: status: expected 200, got 500\nleft out 1 by rule: a \
             reason\nno vectors of b: nothing was judged\nvectors: 1 passed, 1 failed, 1 skipped"
        );
    }

    #[test]
    fn a_case_in_which_nothing_was_judged_has_not_passed() {
        let mut report = Report::default();
        report.add("a/empty", Judgement::default());
        assert_eq!((report.passed(), report.skipped()), (0, 1));
    }
}

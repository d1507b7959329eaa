//! The results of all groups in one file, each from one run.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::row::Row;

/// The latest rows of each group.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Results {
    pub groups: BTreeMap<String, Group>,
}

/// What one run found for one group.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Group {
    /// Figures of two groups may be divided only if they are from the same run.
    pub run: Run,
    /// Processes that wanted a processor, on average of the last minute, before and after.
    pub load: [f64; 2],
    pub rows: Vec<Row>,
}

/// One run of the benchmarks.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Run {
    /// When it started, in UTC: two runs differ here.
    pub started: String,
    pub commit: String,
    pub compiler: String,
    pub processor: String,
    pub cores: usize,
}

impl Results {
    /// Reads the file, or starts without any if it does not exist.
    pub fn read(file: &Path) -> Result<Self, String> {
        match fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text).map_err(|cause| {
                let shown = file.display();
                format!("{shown} cannot be read: {cause}; remove it to start with none")
            }),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(cause) => Err(format!("{} cannot be read: {cause}", file.display())),
        }
    }

    pub fn write(&self, file: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).expect("results are plain");
        fs::write(file, text + "\n")
            .map_err(|cause| format!("{} cannot be written: {cause}", file.display()))
    }

    /// Replaces a group as a whole: rows of two runs are never beside each other in one.
    pub fn put(&mut self, name: &str, group: Group) {
        self.groups.insert(name.to_owned(), group);
    }

    /// Returns the runs that the groups are from, each with its letter, the earliest first.
    pub fn runs(&self) -> Vec<(char, &Run)> {
        let mut runs: Vec<&Run> = self.groups.values().map(|group| &group.run).collect();
        runs.sort_by(|a, b| a.started.cmp(&b.started));
        runs.dedup();
        ('A'..).zip(runs).collect()
    }

    /// Returns the letter of a group's run.
    pub fn letter(&self, group: &Group) -> char {
        let runs = self.runs();
        let own = runs.iter().find(|(_, run)| **run == group.run);
        own.map_or('?', |(letter, _)| *letter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Figure;

    fn group(started: &str, cases: &[&str]) -> Group {
        let row = |case: &&str| Row::alone(*case, "ns", &Figure::once(1.0));
        Group {
            run: Run {
                started: started.to_owned(),
                commit: "abc".to_owned(),
                compiler: "rustc".to_owned(),
                processor: "a processor".to_owned(),
                cores: 2,
            },
            load: [0.5, 1.5],
            rows: cases.iter().map(row).collect(),
        }
    }

    #[test]
    fn a_partial_run_replaces_its_groups_as_a_whole_and_keeps_the_others() {
        let file = std::env::temp_dir().join(format!("results-{}.json", std::process::id()));
        let mut first = Results::read(&file).unwrap();
        assert!(first.groups.is_empty(), "there is no file yet");
        first.put("core", group("2026-01-01", &["one", "two"]));
        first.put("ticket", group("2026-01-01", &["three"]));
        first.write(&file).unwrap();

        let mut second = Results::read(&file).unwrap();
        assert_eq!(second, first);
        second.put("core", group("2026-01-02", &["two"]));
        second.write(&file).unwrap();

        let merged = Results::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let cases = |name: &str| -> Vec<&str> {
            merged.groups[name]
                .rows
                .iter()
                .map(|row| &*row.case)
                .collect()
        };
        assert_eq!(cases("core"), ["two"]);
        assert_eq!(cases("ticket"), ["three"]);
        let started: Vec<_> = merged
            .runs()
            .into_iter()
            .map(|(letter, run)| (letter, &*run.started))
            .collect();
        assert_eq!(started, [('A', "2026-01-01"), ('B', "2026-01-02")]);
        assert_eq!(merged.letter(&merged.groups["core"]), 'B');
        assert_eq!(merged.letter(&merged.groups["ticket"]), 'A');
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_an_empty_one() {
        let file = std::env::temp_dir().join(format!("damaged-{}.json", std::process::id()));
        fs::write(&file, "{\"groups\": ").unwrap();
        let error = Results::read(&file).unwrap_err();
        fs::remove_file(&file).unwrap();
        assert!(error.contains("remove it to start with none"), "{error}");
    }
}

//! The goals for the numbers.

/// The goals of a run, and whether each holds.
#[derive(Debug, Default)]
pub struct Goals(Vec<(String, bool)>);

impl Goals {
    pub fn at_least(&mut self, what: &str, value: f64, limit: f64) {
        let line = format!("{what:<56} {value:>9.2} times, at least {limit}");
        self.0.push((line, value >= limit));
    }

    pub fn at_most(&mut self, what: &str, value: f64, unit: &str, limit: f64) {
        let line = format!("{what:<56} {value:>9.2} {unit}, at most {limit}");
        self.0.push((line, value <= limit));
    }

    pub fn note(&mut self, what: &str, value: f64) {
        self.0
            .push((format!("{what:<56} {value:>9.2} times"), true));
    }

    pub fn print(&self) {
        println!();
        for (line, holds) in &self.0 {
            println!("{} {line}", if *holds { "holds" } else { "FAILS" });
        }
    }
}

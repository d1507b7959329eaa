//! A command line of `summit.py`: options from left to right, each of which applies to the last class or
//! method that was named (protocol section 14.1).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a command line calls.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The constructor arguments of each class, by its letter.
    pub(super) classes: Vec<(char, Map<String, Value>)>,
    pub(super) deeds: Vec<Deed>,
    /// `--help` or `--version`.
    pub(super) about: Option<&'static str>,
    /// Whether standard error has more than a line for each call.
    pub(super) is_debugged: bool,
    /// Whether something else than the result of a call is printed.
    pub(super) prints_class: bool,
    /// Options of services that came before a method.
    early: BTreeMap<&'static str, String>,
}

/// A call of a method, or a property that is read or set.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) class: char,
    pub(super) name: String,
    /// The value to set a property to.
    pub(super) set: Option<Value>,
    /// `--R1`: the body or the query.
    pub(super) body: Option<Value>,
    /// `--R2`: other arguments.
    pub(super) args: Map<String, Value>,
    /// Options of services that belong to it.
    pub(super) options: BTreeMap<&'static str, String>,
    pub(super) print: Print,
    pub(super) is_selected: bool,
}

/// How a result is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Print {
    #[default]
    Nothing,
    Json,
    /// Text of Python.
    Python,
}

impl Line {
    /// Reads a command line. `read` returns the value of an argument that is JSON, or that names the place
    /// of it. Fails with what is odd about the line.
    pub(super) fn read(
        arguments: &[String],
        mut read: impl FnMut(&str) -> Option<Value>,
    ) -> Result<Self, String> {
        let mut line = Self::default();
        for (name, value) in options(arguments)? {
            let mut json = || read(&value).ok_or_else(|| format!("{name}: not JSON"));
            match name {
                "-C" | "-H" | "-L" | "-E" | "-D" => {
                    let letter = name.chars().last().unwrap_or_default();
                    line.classes.push((letter, Map::new()));
                }
                "--R0" => {
                    let (_, given) = line.classes.last_mut().ok_or("--R0 before a class")?;
                    let Value::Object(more) = json()? else {
                        return Err("--R0 is not an object".to_owned());
                    };
                    given.extend(more);
                }
                "--R1" => {
                    let more = json()?;
                    let deed = line.deeds.last_mut().ok_or("--R1 before a method")?;
                    match (&mut deed.body, more) {
                        (Some(Value::Object(there)), Value::Object(more)) => there.extend(more),
                        (there, more) => *there = Some(more),
                    }
                }
                "--R2" => {
                    let more = json()?;
                    let deed = line.deeds.last_mut().ok_or("--R2 before a method")?;
                    let Value::Object(more) = more else {
                        return Err("--R2 is not an object".to_owned());
                    };
                    deed.args.extend(more);
                }
                "-m" => line.call(&value)?,
                "-s" => {
                    let (name, value) = value.split_once('=').ok_or("-s without a value")?;
                    let value = serde_json::from_str(value);
                    let value = value.map_err(|_| "-s: not JSON".to_owned())?;
                    line.call(name)?;
                    if let Some(deed) = line.deeds.last_mut() {
                        deed.set = Some(value);
                    }
                }
                "--write" if line.classes.last().is_some_and(|(class, _)| *class == 'C') => {
                    line.call("write_credentials")?;
                }
                "-j" => line.print(Print::Json),
                "-p" => line.print(Print::Python),
                "-J" => {
                    let deed = line.deeds.last_mut().ok_or("-J before a method")?;
                    deed.is_selected = true;
                }
                "--debug" => line.is_debugged = value != "0",
                "--help" | "-h" => line.about = Some("--help"),
                "--version" => line.about = Some("--version"),
                name if METHODS.contains(&name) => line.call(&name[2..])?,
                name => {
                    let deed = line.deeds.last_mut();
                    let place = deed.map_or(&mut line.early, |deed| &mut deed.options);
                    place.insert(name, value);
                }
            }
        }
        Ok(line)
    }

    /// Returns the constructor arguments of a class.
    pub(super) fn of_class(&self, letter: char) -> Option<&Map<String, Value>> {
        let found = self.classes.iter().find(|(class, _)| *class == letter)?;
        Some(&found.1)
    }

    /// Returns whether nothing but credentials is concerned.
    pub(super) fn is_of_credentials(&self) -> bool {
        self.classes.iter().all(|(class, _)| *class == 'C')
    }

    fn call(&mut self, name: &str) -> Result<(), String> {
        let (class, _) = self.classes.last().ok_or("a method before a class")?;
        self.deeds.push(Deed {
            class: *class,
            name: name.to_owned(),
            set: None,
            body: None,
            args: Map::new(),
            options: self.early.clone(),
            print: Print::default(),
            is_selected: false,
        });
        Ok(())
    }

    fn print(&mut self, print: Print) {
        match self.deeds.last_mut() {
            Some(deed) => deed.print = print,
            None => self.prints_class = true,
        }
    }
}

/// Separates options and their values, as `getopt` does.
fn options(arguments: &[String]) -> Result<Vec<(&'static str, String)>, String> {
    let mut found = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut next = |name: &str| {
            let value = words.next().cloned();
            value.ok_or_else(|| format!("{name} has no value"))
        };
        if word.starts_with("--") {
            let (name, given) = match word.split_once('=') {
                Some((name, given)) => (name, Some(given.to_owned())),
                None => (word.as_str(), None),
            };
            let (name, has_value) = known(name)?;
            found.push(match (has_value, given) {
                (true, Some(given)) => (name, given),
                (true, None) => (name, next(name)?),
                (false, None) => (name, String::new()),
                (false, Some(_)) => return Err(format!("{name} has a value")),
            });
            continue;
        }
        let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty());
        let letters = letters.ok_or_else(|| format!("not an option: {word:?}"))?;
        for (at, letter) in letters.char_indices() {
            let (name, has_value) = known(&format!("-{letter}"))?;
            let rest = &letters[at + letter.len_utf8()..];
            if !has_value {
                found.push((name, String::new()));
                continue;
            }
            let value = match rest {
                "" => next(name)?,
                rest => rest.to_owned(),
            };
            found.push((name, value));
            break;
        }
    }
    Ok(found)
}

/// Returns an option that the older tool has, and whether it has a value.
fn known(name: &str) -> Result<(&'static str, bool), String> {
    let find = |all: &[&'static str]| all.iter().copied().find(|known| *known == name);
    match (find(WITH_VALUE), find(WITHOUT).or_else(|| find(METHODS))) {
        (Some(name), _) => Ok((name, true)),
        (None, Some(name)) => Ok((name, false)),
        (None, None) => Err(format!("option {name} not recognized")),
    }
}

const WITH_VALUE: &[&str] = &[
    "--R0",
    "--R1",
    "--R2",
    "--debug",
    "--end",
    "--id",
    "--midpoint",
    "--seq",
    "--start",
    "--window",
    "-J",
    "-m",
    "-s",
];
const WITHOUT: &[&str] = &[
    "--follow",
    "--help",
    "--version",
    "-C",
    "-D",
    "-E",
    "-H",
    "-L",
    "-h",
    "-j",
    "-p",
];
/// Options that call a method.
const METHODS: &[&str] = &[
    "--ack",
    "--attributes",
    "--count",
    "--delete",
    "--domains",
    "--flush",
    "--get",
    "--nack",
    "--poll",
    "--query",
    "--set",
    "--write",
    "--xpoll",
];

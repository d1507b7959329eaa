//! The machine in every order of events, for three participants: an exhaustive search.
//!
//! Each participant runs the coordinator's own machine. Only its surroundings are modelled: a record
//! with compare-and-swap, a lease that may end at any moment, a server that rotates refresh tokens
//! and takes each once, participants that are killed after any step, and a store that fails.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use vouchsafe_core::Secret;
use vouchsafe_core::store::{Expect, Version};

use super::machine::{Event, Issued, Kept, Machine, Outcome, Read, Step, Wanted};
use crate::Record;
use crate::record::digest;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    record: Record,
    /// How often the record was written.
    writes: u8,
    /// Who holds the lease.
    holder: Option<usize>,
    /// The number of the newest refresh token.
    current: u8,
    /// Whether the server takes older refresh tokens too, as some do for a while.
    is_lenient: bool,
    /// Whether an older refresh token was written over a newer one.
    has_gone_back: bool,
    requests: u8,
    participants: Vec<Participant>,
    /// What may still go wrong.
    luck: Luck,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Participant {
    Running(Box<Machine>, Step),
    Done(Outcome),
    Killed,
}

/// How often each kind of misfortune may still happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Luck {
    expiries: u8,
    kills: u8,
    failed_saves: u8,
    lost_answers: u8,
}

fn token(kind: &str, number: u8) -> Secret {
    Secret::from(format!("{kind}-{number}"))
}

/// Returns the number of a record's refresh token.
fn number(record: &Record) -> Option<u8> {
    let token = record.refresh_token.as_ref()?;
    token.expose().strip_prefix("rt-")?.parse().ok()
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

impl World {
    fn new(participants: usize, luck: Luck) -> Self {
        let record = Record {
            client_id: Some("c".to_owned()),
            client_secret: Some(Secret::from("s")),
            refresh_token: Some(token("rt", 0)),
            access_token: Some(token("at", 0)),
            ..Record::default()
        };
        let wanted = Wanted {
            stale: Some(digest(&token("at", 0))),
            given: None,
            dead: None,
            unsaved: None,
            is_token_cached: true,
            is_secret_kept: true,
            needs_secret: true,
            guard: Duration::from_secs(60),
        };
        let machine = Box::new(Machine::new(wanted));
        Self {
            record,
            writes: 0,
            holder: None,
            current: 0,
            is_lenient: false,
            has_gone_back: false,
            requests: 0,
            participants: vec![Participant::Running(machine, Step::Load); participants],
            luck,
        }
    }

    fn read(&self) -> Read {
        (self.record.clone(), Version::new(&[self.writes]))
    }

    /// Returns all worlds that may come next.
    fn successors(&self) -> Vec<Self> {
        let mut worlds = Vec::new();
        for who in 0..self.participants.len() {
            let Participant::Running(machine, step) = &self.participants[who] else {
                continue;
            };
            for (mut world, event) in self.results(who, step) {
                let mut machine = machine.clone();
                let next = match machine.next(event) {
                    Step::Done(outcome) => Participant::Done(outcome),
                    step => Participant::Running(machine, step),
                };
                if world.luck.kills > 0 {
                    let mut killed = world.clone();
                    killed.luck.kills -= 1;
                    killed.participants[who] = Participant::Killed;
                    worlds.push(killed);
                }
                world.participants[who] = next;
                worlds.push(world);
            }
        }
        let is_over = |who: usize| !matches!(self.participants[who], Participant::Running(..));
        // That of a process that was killed ends for certain.
        let is_owed = self.holder.is_some_and(is_over);
        if self.holder.is_some() && (is_owed || self.luck.expiries > 0) {
            let mut expired = self.clone();
            expired.holder = None;
            expired.luck.expiries -= u8::from(!is_owed);
            worlds.push(expired);
        }
        worlds
    }

    /// Returns what may come of a step.
    fn results(&self, who: usize, step: &Step) -> Vec<(Self, Event)> {
        let mut world = self.clone();
        let event = match step {
            Step::Load => Event::Loaded(Some(self.read()), now()),
            Step::Acquire => match self.holder {
                None => {
                    world.holder = Some(who);
                    Event::Leased
                }
                Some(_) => Event::Held(Duration::from_secs(30)),
            },
            // Nothing else happens while it waits: others have their turns in between anyway.
            Step::Wait(_) => Event::Waited,
            Step::Request(credentials) => return self.request(credentials),
            Step::Save(record, expect) => return self.save(record, expect),
            Step::Release => {
                if self.holder == Some(who) {
                    world.holder = None;
                }
                Event::Released
            }
            Step::Done(_) => return Vec::new(),
        };
        vec![(world, event)]
    }

    fn request(&self, credentials: &Record) -> Vec<(Self, Event)> {
        let mut world = self.clone();
        world.requests += 1;
        let is_newest = credentials.refresh_token == Some(token("rt", self.current));
        if !is_newest && !self.is_lenient {
            return vec![(world, Event::RefusedGrant)];
        }
        world.current += 1;
        let issued = Issued {
            access_token: token("at", world.current),
            refresh_token: Some(token("rt", world.current)),
            expires_at: Some(now() + Duration::from_secs(3600)),
        };
        let mut results = vec![(world.clone(), Event::Issued(issued, now()))];
        if world.luck.lost_answers > 0 {
            world.luck.lost_answers -= 1;
            results.push((world, Event::NotIssued));
        }
        results
    }

    fn save(&self, record: &Record, expect: &Expect) -> Vec<(Self, Event)> {
        let mut results = Vec::new();
        if self.luck.failed_saves > 0 {
            let mut failed = self.clone();
            failed.luck.failed_saves -= 1;
            results.push((failed, Event::StoreFailed));
        }
        let mut world = self.clone();
        let event = match expect.is_met_by(Some(&self.read().1)) {
            true => {
                world.has_gone_back |= number(record) < number(&self.record);
                world.record = record.clone();
                world.writes += 1;
                Event::Saved
            }
            false => Event::Conflict(Some(self.read())),
        };
        results.push((world, event));
        results
    }

    /// Returns whether the newest refresh token is known to somebody who lives or to the record.
    fn has_newest(&self) -> bool {
        let newest = Some(token("rt", self.current));
        self.record.refresh_token == newest
            || self.participants.iter().any(|one| match one {
                Participant::Done(Outcome::Refreshed(_, record, Kept::Unsaved(_))) => {
                    record.refresh_token == newest
                }
                _ => false,
            })
    }

    fn is_over(&self) -> bool {
        let mut all = self.participants.iter();
        all.all(|one| !matches!(one, Participant::Running(..)))
    }
}

/// Visits every world that can be reached, and returns those in which all is over, and how many
/// there were.
fn explore(participants: usize, luck: Luck) -> (Vec<World>, usize) {
    explore_from(World::new(participants, luck))
}

fn explore_from(first: World) -> (Vec<World>, usize) {
    let mut seen = HashSet::from([first.clone()]);
    let mut open = vec![first];
    let mut ends = Vec::new();
    while let Some(world) = open.pop() {
        if world.is_over() {
            ends.push(world);
            continue;
        }
        for next in world.successors() {
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    (ends, seen.len())
}

fn tokens(world: &World) -> impl Iterator<Item = &Outcome> {
    world.participants.iter().filter_map(|one| match one {
        Participant::Done(outcome) => Some(outcome),
        _ => None,
    })
}

#[test]
fn without_misfortune_there_is_one_request_and_all_are_served() {
    let (ends, seen) = explore(3, Luck::default());
    assert!(seen > 100, "only {seen} worlds were visited");
    for world in ends {
        assert_eq!(world.requests, 1);
        assert_eq!(world.holder, None);
        assert_eq!(world.record.access_token, Some(token("at", 1)));
        for outcome in tokens(&world) {
            assert!(
                matches!(
                    outcome,
                    Outcome::Adopted(_) | Outcome::Refreshed(_, _, Kept::Saved)
                ),
                "{outcome:?}"
            );
        }
    }
}

#[test]
fn a_holder_that_oversleeps_costs_a_request_but_no_token() {
    let luck = Luck {
        expiries: 2,
        ..Luck::default()
    };
    let (ends, _) = explore(3, luck);
    for world in ends {
        assert!(world.requests <= 3);
        assert!(world.has_newest(), "{world:?}");
        assert!(!world.record.is_dead(), "{world:?}");
    }
}

#[test]
fn an_answer_never_replaces_a_newer_one() {
    let luck = Luck {
        expiries: 2,
        ..Luck::default()
    };
    let lenient = World {
        is_lenient: true,
        ..World::new(3, luck)
    };
    let (ends, _) = explore_from(lenient);
    for world in ends {
        assert!(!world.has_gone_back, "{world:?}");
        let outcomes = tokens(&world);
        let is_served = |one: &Outcome| matches!(one, Outcome::Adopted(_) | Outcome::Refreshed(..));
        assert!(outcomes.into_iter().all(is_served), "{world:?}");
    }
}

#[test]
fn a_store_that_fails_once_costs_no_token() {
    let luck = Luck {
        failed_saves: 1,
        ..Luck::default()
    };
    let (ends, _) = explore(3, luck);
    for world in ends {
        assert!(world.has_newest(), "{world:?}");
        // Whoever was issued a token has it.
        let served = tokens(&world).any(|outcome| {
            matches!(outcome, Outcome::Refreshed(issued, _, _) if issued.access_token == token("at", 1))
        });
        assert!(served, "{world:?}");
    }
}

#[test]
fn a_kill_loses_a_token_only_between_the_answer_and_the_save() {
    let luck = Luck {
        kills: 1,
        ..Luck::default()
    };
    let (ends, _) = explore(3, luck);
    for world in ends {
        let is_lost = !world.has_newest();
        if is_lost {
            // The server issued what nobody could save, so the others learn that they have to log
            // in again, and the refused token is not sent again.
            let others = tokens(&world);
            let ends = |one: &Outcome| matches!(one, Outcome::Refused(_) | Outcome::Dead);
            assert!(others.into_iter().all(ends), "{world:?}");
            assert!(world.record.is_dead(), "{world:?}");
            assert!(world.requests <= 2);
        }
        assert!(world.requests <= 2, "{world:?}");
    }
}

#[test]
fn a_lost_answer_is_an_error_of_one_and_the_others_find_out_once() {
    let luck = Luck {
        lost_answers: 1,
        ..Luck::default()
    };
    let (ends, _) = explore(3, luck);
    for world in ends {
        assert!(world.requests <= 2, "{world:?}");
    }
}

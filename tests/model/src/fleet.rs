//! Checks every order in which three participants can refresh one token, with every loss.

mod checks;
mod moves;
mod properties;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use crate::machine::{Event, Outcome, Record, Refresh, Seen, Stale, Step, Unsaved};
use stateright::{Checker, Model, Property};

const PARTICIPANTS: usize = 3;

/// The access token that everyone found unusable.
const USELESS: u8 = 0;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Tokens {
    access: u8,
    refresh: u8,
    is_refused: bool,
}

impl Record for Tokens {
    type Token = u8;

    fn access_token(&self) -> Option<&u8> {
        Some(&self.access)
    }

    fn refresh_token(&self) -> Option<&u8> {
        Some(&self.refresh)
    }

    fn is_refused(&self) -> bool {
        self.is_refused
    }

    fn refused(self) -> Self {
        Self {
            is_refused: true,
            ..self
        }
    }

    fn with_tokens_of(self, granted: &Self) -> Self {
        granted.clone()
    }
}

/// Why a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Trouble {
    InvalidGrant,
    LostAnswer,
    StoreDown,
}

type Machine = Refresh<Tokens, u8, Trouble>;
type Todo = Step<Tokens, u8>;

/// Which of a process's refreshes this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Round {
    First,
    /// After the store failed: the token that was not saved has become unusable, too.
    Second,
    /// Saves the unsaved tokens. The store works again.
    Last,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Participant {
    /// About to perform a step.
    Doing(Machine, Todo, Round),
    /// The lease was checked; the request is about to leave.
    Sending(Machine, Tokens, Round),
    /// The server has answered, but the answer has not arrived.
    Answered(Machine, Event<Tokens, u8, Trouble>, Round),
    Done(Outcome<u8, Trouble>, Option<Unsaved<Tokens>>, Round),
    Crashed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    participants: Vec<Participant>,
    record: Tokens,
    version: u8,
    /// Whether the first access token can be seen to be unusable, or was refused by the server.
    is_expired: bool,
    lease: Option<usize>,
    lapse: Lapse,
    /// The refresh tokens that the server accepts. If there are several, the first is the one that the
    /// others replaced.
    good: Vec<u8>,
    /// Whether the only copies of these were in an answer that was lost, or crashed with a process.
    is_lost: bool,
    /// Whether a participant asked for a login while the record had a good refresh token.
    is_misled: bool,
    /// How many saves failed after which others may make a request of their own.
    costly_failures: u8,
    issued: u8,
    requests: u8,
    /// How often a token was needed: once by all, again after a login, and by each one that could not
    /// save the last.
    needs: u8,
    faults: Faults,
}

/// The number of faults that may still happen, or have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Faults {
    crashes: u8,
    expiries: u8,
    lost_answers: u8,
    failed_reads: u8,
    failed_saves: u8,
    failed_renewals: u8,
    outages: u8,
    logins: u8,
}

/// How the lease ended last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Lapse {
    /// It was released, or taken again.
    None,
    /// Its holder crashed or was suspended, and does not come back for as long as the next one defers.
    OfHolder,
    /// The store was away for longer than it lasted. Its holder saves its tokens while the next one
    /// defers, unless that fails again.
    OfStore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// Keeps the refresh token.
    Keeps,
    /// Replaces it, and refuses the old one.
    Rotates,
    /// Replaces it, and refuses all if the old one is seen again.
    Revokes,
    /// Replaces it, and accepts the old one until one that took its place is used.
    Overlaps,
}

const SERVERS: [Server; 4] = [
    Server::Keeps,
    Server::Rotates,
    Server::Revokes,
    Server::Overlaps,
];

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Go(usize),
    Crash(usize),
    LoseAnswer(usize),
    /// The record cannot be read.
    FailRead(usize),
    /// The store cannot be reached.
    FailSave(usize),
    /// The record is written, but the participant does not learn it.
    LoseSaved(usize),
    /// The next refresh of a process that could not save.
    Again(usize),
    /// It saves what it could not save before, with its lease or, if that is lost, another.
    SaveKept(usize),
    /// The same, but whether it still has its lease cannot be found out.
    SaveKeptUnsure(usize),
    /// Before a request, the lease cannot be renewed.
    FailRenewal(usize),
    EndLease,
    /// The store is away for longer than the lease of a holder lasts that waits to save its tokens.
    Outage,
    /// A person logs in, which ends everything that was granted before.
    LogIn,
}

struct Fleet {
    server: Server,
    allowed: Faults,
}

impl Fleet {
    fn check(server: Server, allowed: Faults) {
        let checker = Self { server, allowed }.checker().spawn_bfs().join();
        println!("{server:?}: {} states", checker.unique_state_count());
        checker.assert_properties();
    }

    /// Checks that from every state the fleet can reach an end without help: no process waits forever.
    fn check_ends(server: Server, allowed: Faults) {
        let fleet = Self { server, allowed };
        let mut known = HashMap::new();
        let mut all = Vec::new();
        // The states from which each state is reached without a fault.
        let mut before: Vec<Vec<usize>> = Vec::new();
        let mut add = |world: World, all: &mut Vec<World>, before: &mut Vec<Vec<usize>>| {
            *known.entry(world).or_insert_with_key(|world| {
                all.push(world.clone());
                before.push(Vec::new());
                all.len() - 1
            })
        };
        for world in fleet.init_states() {
            add(world, &mut all, &mut before);
        }
        let mut next = 0;
        while next < all.len() {
            let world = all[next].clone();
            let mut actions = Vec::new();
            fleet.actions(&world, &mut actions);
            for action in actions {
                let is_step = matches!(
                    action,
                    Action::Go(_) | Action::EndLease | Action::SaveKept(_)
                );
                let Some(then) = fleet.next_state(&world, action) else {
                    continue;
                };
                let is_fault = then.faults != world.faults;
                let at = add(then, &mut all, &mut before);
                if is_step && !is_fault {
                    before[at].push(next);
                }
            }
            next += 1;
        }
        let mut ends = vec![false; all.len()];
        let mut left: Vec<usize> = (0..all.len()).filter(|at| all[*at].is_over()).collect();
        while let Some(at) = left.pop() {
            if !std::mem::replace(&mut ends[at], true) {
                left.extend(&before[at]);
            }
        }
        let stuck = ends.iter().position(|ends| !ends).map(|at| &all[at]);
        assert_eq!(stuck, None, "of {} states", all.len());
    }

    fn grant(&self, world: &mut World, sent: &Tokens) -> Event<Tokens, u8, Trouble> {
        world.requests += 1;
        let Some(at) = world.good.iter().position(|good| *good == sent.refresh) else {
            if self.server == Server::Revokes {
                world.good.clear();
            }
            return Event::Refused(Trouble::InvalidGrant);
        };
        world.issued += 1;
        let refresh = match self.server {
            Server::Keeps => sent.refresh,
            Server::Rotates | Server::Revokes | Server::Overlaps => 100 + world.issued,
        };
        match self.server {
            Server::Keeps => {}
            Server::Rotates | Server::Revokes => world.good = vec![refresh],
            Server::Overlaps => {
                if at > 0 {
                    world.good = vec![sent.refresh];
                }
                world.good.push(refresh);
            }
        }
        let record = Tokens {
            access: world.issued,
            refresh,
            is_refused: false,
        };
        Event::Granted(record, true)
    }
}

impl World {
    /// Returns the same state with the participants in a fixed order: they are alike, so that only one
    /// of the orders has to be looked at.
    fn sorted(self) -> Self {
        let hash = |at: &usize| {
            let mut hasher = DefaultHasher::new();
            (&self.participants[*at], self.lease == Some(*at)).hash(&mut hasher);
            hasher.finish()
        };
        let mut order: Vec<usize> = (0..PARTICIPANTS).collect();
        order.sort_by_key(hash);
        let new_place = |holder| order.iter().position(|at| *at == holder);
        Self {
            lease: self.lease.and_then(new_place),
            participants: order
                .iter()
                .map(|at| self.participants[*at].clone())
                .collect(),
            ..self
        }
    }

    /// Returns whether the server still accepts a refresh token that is somewhere.
    fn has_good_token(&self) -> bool {
        let is_good = |record: &Tokens| self.good.contains(&record.refresh);
        let is_kept = |unsaved: Option<&Unsaved<Tokens>>| {
            unsaved.is_some_and(|unsaved| is_good(&unsaved.record))
        };
        let mut participants = self.participants.iter();
        is_good(&self.record)
            || participants.any(|participant| match participant {
                Participant::Done(_, unsaved, _) => is_kept(unsaved.as_ref()),
                Participant::Answered(_, Event::Granted(record, _), _) => is_good(record),
                Participant::Answered(machine, ..)
                | Participant::Doing(machine, ..)
                | Participant::Sending(machine, ..) => is_kept(machine.unsaved()),
                Participant::Crashed => false,
            })
    }

    /// Gives the lease to a participant, and returns whether it had lapsed.
    fn take_lease(&mut self, index: usize) -> bool {
        self.lease = Some(index);
        self.lapse != Lapse::None
    }

    /// Returns whether a holder that lost its lease while the store was away saves its tokens before
    /// one that defers goes on.
    fn is_about_to_save(&self) -> bool {
        let waits_to_save = |participant: &Participant| match participant {
            Participant::Done(_, Some(unsaved), _) => unsaved.keeps_others_waiting(),
            Participant::Doing(machine, ..) => {
                (machine.unsaved()).is_some_and(Unsaved::keeps_others_waiting)
            }
            _ => false,
        };
        self.lapse == Lapse::OfStore && self.participants.iter().any(waits_to_save)
    }

    /// Notes that what was lost just now was the only copy.
    fn lose(&mut self) {
        self.is_lost |= !self.good.is_empty() && !self.has_good_token();
    }

    /// Returns whether every participant has ended.
    fn is_over(&self) -> bool {
        let mut participants = self.participants.iter();
        participants.all(|it| matches!(it, Participant::Crashed | Participant::Done(..)))
    }
}

fn seen(world: &World) -> Seen<Tokens, u8> {
    Seen {
        record: world.record.clone(),
        version: Some(world.version),
        is_fresh: world.record.access != USELESS || !world.is_expired,
        is_removed: false,
    }
}

fn settle(
    world: &mut World,
    mut machine: Machine,
    event: Event<Tokens, u8, Trouble>,
    round: Round,
) -> Participant {
    let was_told = machine.clone().finish().is_some();
    let step = machine.next(event);
    if !was_told && let Some(Outcome::Reauthorize(_)) = machine.clone().finish() {
        let is_good = world.good.contains(&world.record.refresh);
        world.is_misled |= is_good && !world.record.is_refused;
    }
    match step {
        Step::Finish => {
            let unsaved = machine.unsaved().cloned();
            Participant::Done(machine.finish().expect("an outcome"), unsaved, round)
        }
        step => Participant::Doing(machine, step, round),
    }
}

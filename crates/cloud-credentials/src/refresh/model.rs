//! Checks every order in which three participants can refresh one token, with every loss.

use std::hash::Hash;

use super::machine::{Event, Outcome, Record, Refresh, Seen, Stale, Step, Unsaved};
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
    /// The refresh token that the server accepts.
    current: Option<u8>,
    /// The one that it accepted before; a server may go on to accept it.
    last: u8,
    issued: u8,
    requests: u8,
    faults: Faults,
}

/// The number of faults that may still happen, or have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
struct Faults {
    crashes: u8,
    expiries: u8,
    lost_answers: u8,
    failed_saves: u8,
    logins: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    /// Keeps the refresh token.
    Keeps,
    /// Replaces it, and refuses the old one.
    Rotates,
    /// Replaces it, and refuses all if the old one is seen again.
    Revokes,
}

#[derive(Clone, Debug, PartialEq)]
enum Action {
    Go(usize),
    Crash(usize),
    LoseAnswer(usize),
    /// The store cannot be reached.
    FailSave(usize),
    /// The record is written, but the participant does not learn it.
    LoseSaved(usize),
    /// The next refresh of a process that could not save.
    Again(usize),
    EndLease,
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
        checker.assert_properties();
    }

    fn grant(&self, world: &mut World, sent: &Tokens) -> Event<Tokens, u8, Trouble> {
        world.requests += 1;
        if world.current != Some(sent.refresh) {
            if self.server == Server::Revokes {
                world.current = None;
            }
            return Event::Refused(Trouble::InvalidGrant);
        }
        world.issued += 1;
        let refresh = match self.server {
            Server::Keeps => sent.refresh,
            Server::Rotates | Server::Revokes => 100 + world.issued,
        };
        world.current = Some(refresh);
        let record = Tokens {
            access: world.issued,
            refresh,
            is_refused: false,
        };
        Event::Granted(record, true)
    }
}

fn seen(world: &World) -> Seen<Tokens, u8> {
    Seen {
        record: world.record.clone(),
        version: Some(world.version),
        is_fresh: world.record.access != USELESS || !world.is_expired,
    }
}

fn settle(mut machine: Machine, event: Event<Tokens, u8, Trouble>, round: Round) -> Participant {
    match machine.next(event) {
        Step::Finish => {
            let unsaved = machine.unsaved().cloned();
            Participant::Done(machine.finish().expect("an outcome"), unsaved, round)
        }
        step => Participant::Doing(machine, step, round),
    }
}

impl Model for Fleet {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let start = || {
            let (machine, step) = Refresh::new(Stale::Token(USELESS), None);
            Participant::Doing(machine, step, Round::First)
        };
        [false, true]
            .map(|is_expired| World {
                is_expired,
                participants: (0..PARTICIPANTS).map(|_| start()).collect(),
                record: Tokens {
                    access: USELESS,
                    refresh: 100,
                    is_refused: false,
                },
                version: 0,
                lease: None,
                current: Some(100),
                last: 100,
                issued: 0,
                requests: 0,
                faults: Faults::default(),
            })
            .into()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        let (used, allowed) = (world.faults, self.allowed);
        for (index, participant) in world.participants.iter().enumerate() {
            match participant {
                Participant::Crashed => continue,
                Participant::Done(_, unsaved, round) => {
                    if unsaved.is_some() && *round != Round::Last {
                        actions.push(Action::Again(index));
                    }
                    continue;
                }
                Participant::Answered(..) if used.lost_answers < allowed.lost_answers => {
                    actions.push(Action::LoseAnswer(index));
                }
                Participant::Doing(_, Step::Save(..), Round::First | Round::Second)
                    if used.failed_saves < allowed.failed_saves =>
                {
                    actions.push(Action::FailSave(index));
                    actions.push(Action::LoseSaved(index));
                }
                _ => {}
            }
            // Waiting while nothing can change leads nowhere new.
            actions.push(Action::Go(index));
            if used.crashes < allowed.crashes {
                actions.push(Action::Crash(index));
            }
        }
        let holder = world.lease.map(|holder| &world.participants[holder]);
        let is_left = matches!(holder, Some(Participant::Crashed | Participant::Done(..)));
        if used.logins < allowed.logins {
            actions.push(Action::LogIn);
        }
        // The lease of a crashed holder ends; that of a live one only if it was suspended.
        if is_left || (world.lease.is_some() && used.expiries < allowed.expiries) {
            actions.push(Action::EndLease);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        match action {
            Action::EndLease => {
                let holder = next.lease.take()?;
                if !matches!(
                    next.participants[holder],
                    Participant::Crashed | Participant::Done(..)
                ) {
                    next.faults.expiries += 1;
                }
            }
            Action::LogIn => {
                next.faults.logins += 1;
                next.issued += 1;
                next.record = Tokens {
                    access: next.issued,
                    refresh: 100 + next.issued,
                    is_refused: false,
                };
                next.current = Some(next.record.refresh);
                next.version += 1;
            }
            Action::Crash(index) => {
                next.faults.crashes += 1;
                next.participants[index] = Participant::Crashed;
            }
            Action::LoseAnswer(index) => {
                let Participant::Answered(machine, _, round) = world.participants[index].clone()
                else {
                    return None;
                };
                next.faults.lost_answers += 1;
                next.participants[index] =
                    settle(machine, Event::Failed(Trouble::LostAnswer), round);
            }
            Action::FailSave(index) | Action::LoseSaved(index) => {
                let Participant::Doing(machine, Step::Save(record, expect), round) =
                    world.participants[index].clone()
                else {
                    return None;
                };
                next.faults.failed_saves += 1;
                if matches!(action, Action::LoseSaved(_)) && expect == Some(next.version) {
                    next.record = record;
                    next.version += 1;
                }
                next.participants[index] =
                    settle(machine, Event::Failed(Trouble::StoreDown), round);
            }
            Action::Again(index) => {
                let Participant::Done(_, Some(unsaved), round) = world.participants[index].clone()
                else {
                    return None;
                };
                let (machine, step, round) = match round {
                    Round::First => {
                        let stale = Stale::Token(unsaved.record.access);
                        let (machine, step) = Refresh::new(stale, Some(unsaved));
                        (machine, step, Round::Second)
                    }
                    Round::Second | Round::Last => {
                        let (machine, step) = Refresh::of_unsaved(unsaved);
                        (machine, step, Round::Last)
                    }
                };
                next.participants[index] = Participant::Doing(machine, step, round);
            }
            Action::Go(index) => {
                next.participants[index] = match world.participants[index].clone() {
                    Participant::Doing(machine, step, round) => {
                        self.perform(&mut next, index, (machine, step, round))
                    }
                    Participant::Sending(machine, record, round) => {
                        let event = self.grant(&mut next, &record);
                        Participant::Answered(machine, event, round)
                    }
                    Participant::Answered(machine, event, round) => settle(machine, event, round),
                    participant => participant,
                };
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "one request, unless something went wrong",
                |_, world: &World| world.faults != Faults::default() || world.requests <= 1,
            ),
            Property::always(
                "everyone is served, unless something went wrong",
                |_, world: &World| {
                    let is_served = |participant: &Participant| match participant {
                        Participant::Done(outcome, ..) => {
                            matches!(outcome, Outcome::Adopted(1) | Outcome::Refreshed(1))
                        }
                        _ => true,
                    };
                    world.faults != Faults::default() || world.participants.iter().all(is_served)
                },
            ),
            Property::always(
                "the refresh token in use is never lost",
                |_, world: &World| {
                    let Some(current) = world.current else {
                        return true;
                    };
                    let has = |participant: &Participant| match participant {
                        Participant::Done(_, unsaved, _) => unsaved
                            .as_ref()
                            .is_some_and(|unsaved| unsaved.record.refresh == current),
                        Participant::Answered(_, Event::Granted(record, _), _) => {
                            record.refresh == current
                        }
                        Participant::Doing(machine, ..) | Participant::Sending(machine, ..) => {
                            machine
                                .unsaved()
                                .is_some_and(|unsaved| unsaved.record.refresh == current)
                        }
                        _ => false,
                    };
                    world.faults.crashes > 0
                        || world.faults.lost_answers > 0
                        || world.record.refresh == current
                        || world.participants.iter().any(has)
                },
            ),
            Property::always("in the end the record is good", |_, world: &World| {
                let is_over = world
                    .participants
                    .iter()
                    .all(|participant| match participant {
                        Participant::Done(_, unsaved, round) => {
                            unsaved.is_none() || *round == Round::Last
                        }
                        participant => *participant == Participant::Crashed,
                    });
                let Some(current) = world.current else {
                    return true;
                };
                !is_over
                    || world.faults.crashes > 0
                    || world.faults.lost_answers > 0
                    || (world.record.refresh == current && !world.record.is_refused)
            }),
            Property::always(
                "what was granted is saved, unless the store fails or someone logs in",
                |_, world: &World| {
                    world.faults.failed_saves > 0
                        || world.faults.logins > 0
                        || world.participants.iter().all(|participant| {
                            !matches!(participant, Participant::Done(_, Some(_), _))
                        })
                },
            ),
            Property::always("only a refused token needs a person", |_, world: &World| {
                world
                    .participants
                    .iter()
                    .all(|participant| match participant {
                        Participant::Done(Outcome::Reauthorize(_), ..) => {
                            world.requests > 1 || world.faults.logins > 0
                        }
                        Participant::Done(outcome, _, round) => {
                            *outcome != Outcome::NothingToRefresh || *round == Round::Last
                        }
                        _ => true,
                    })
            }),
            Property::always(
                "a refresh token that is marked as refused is not sent",
                |_, world: &World| {
                    world
                        .participants
                        .iter()
                        .all(|participant| match participant {
                            Participant::Sending(_, record, _) => !record.is_refused,
                            _ => true,
                        })
                },
            ),
            Property::always(
                "a refused token is marked, unless the store fails or has another one",
                |_, world: &World| {
                    let refused = |participant: &Participant| {
                        matches!(participant, Participant::Done(Outcome::Reauthorize(_), ..))
                    };
                    world.faults.failed_saves > 0
                        || world.record.is_refused
                        || world.record.access != USELESS
                        || !world.participants.iter().any(refused)
                },
            ),
            Property::sometimes("everyone ends", |_, world: &World| {
                world
                    .participants
                    .iter()
                    .all(|participant| matches!(participant, Participant::Done(..)))
            }),
        ]
    }
}

impl Fleet {
    fn perform(
        &self,
        world: &mut World,
        index: usize,
        doing: (Machine, Todo, Round),
    ) -> Participant {
        let (machine, step, round) = doing;
        let event = match step {
            Step::Load => Event::Loaded(seen(world)),
            Step::Acquire if world.lease.is_none() => {
                world.lease = Some(index);
                Event::Leased
            }
            Step::Acquire => Event::Held,
            Step::Wait => Event::Waited,
            Step::Request(record) => {
                if world.lease == Some(index) {
                    return Participant::Sending(machine, record, round);
                }
                Event::LeaseLost
            }
            Step::Save(record, expect) if expect == Some(world.version) => {
                world.record = record;
                world.version += 1;
                Event::Saved
            }
            Step::Save(..) => Event::Conflict(seen(world)),
            Step::Release => {
                if world.lease == Some(index) {
                    world.lease = None;
                }
                Event::Released
            }
            Step::Finish => unreachable!("handled when it was returned"),
        };
        settle(machine, event, round)
    }
}

#[test]
fn without_faults_one_request_serves_everyone() {
    for server in [Server::Keeps, Server::Rotates, Server::Revokes] {
        Fleet::check(server, Faults::default());
    }
}

#[test]
fn after_one_fault_of_each_kind_no_refresh_token_is_lost() {
    let allowed = Faults {
        crashes: 1,
        expiries: 1,
        lost_answers: 1,
        failed_saves: 1,
        logins: 0,
    };
    for server in [Server::Keeps, Server::Rotates, Server::Revokes] {
        Fleet::check(server, allowed);
    }
}

#[test]
fn suspended_holders_and_a_store_that_fails_lose_nothing_and_undo_no_login() {
    let allowed = Faults {
        expiries: 1,
        failed_saves: 1,
        logins: 1,
        ..Faults::default()
    };
    for server in [Server::Keeps, Server::Rotates, Server::Revokes] {
        Fleet::check(server, allowed);
    }
    let allowed = Faults {
        failed_saves: 4,
        ..Faults::default()
    };
    Fleet::check(Server::Rotates, allowed);
}

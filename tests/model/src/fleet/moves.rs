//! What can happen next in a fleet.

use super::*;

impl Model for Fleet {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let start = || {
            let (machine, step) = Refresh::new(Stale::Token(USELESS), None, false);
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
                lapse: Lapse::None,
                good: vec![100],
                is_lost: false,
                is_misled: false,
                costly_failures: 0,
                issued: 0,
                requests: 0,
                needs: 1,
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
                    if unsaved.is_some() && *round == Round::First {
                        actions.push(Action::Again(index));
                    }
                    let is_tried = |unsaved: &Unsaved<Tokens>| {
                        *round != Round::Last || unsaved.keeps_others_waiting()
                    };
                    if unsaved.as_ref().is_some_and(is_tried) {
                        actions.push(Action::SaveKept(index));
                        if used.failed_renewals < allowed.failed_renewals {
                            actions.push(Action::SaveKeptUnsure(index));
                        }
                        if used.crashes < allowed.crashes {
                            actions.push(Action::Crash(index));
                        }
                    }
                    continue;
                }
                Participant::Answered(..) if used.lost_answers < allowed.lost_answers => {
                    actions.push(Action::LoseAnswer(index));
                }
                Participant::Doing(_, Step::Defer, _) if world.is_about_to_save() => continue,
                Participant::Doing(_, Step::Load, _)
                    if used.failed_reads < allowed.failed_reads =>
                {
                    actions.push(Action::FailRead(index));
                }
                Participant::Doing(_, Step::Request(_), _)
                    if used.failed_renewals < allowed.failed_renewals =>
                {
                    actions.push(Action::FailRenewal(index));
                }
                Participant::Doing(_, Step::Save(..), _)
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
        let is_left = matches!(holder, Some(Participant::Crashed));
        if used.logins < allowed.logins {
            actions.push(Action::LogIn);
        }
        // The lease of a crashed holder ends; that of a live one only if it was suspended.
        if is_left || (world.lease.is_some() && used.expiries < allowed.expiries) {
            actions.push(Action::EndLease);
        }
        if matches!(holder, Some(Participant::Done(..))) && used.outages < allowed.outages {
            actions.push(Action::Outage);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        match action {
            Action::EndLease => {
                let holder = next.lease.take()?;
                if next.participants[holder] != Participant::Crashed {
                    next.faults.expiries += 1;
                    next.lapse = Lapse::OfHolder;
                } else if next.lapse != Lapse::OfStore {
                    next.lapse = Lapse::OfHolder;
                }
            }
            Action::Outage => {
                next.lease = None;
                next.lapse = Lapse::OfStore;
                next.faults.outages += 1;
            }
            Action::FailRead(index) | Action::FailRenewal(index) => {
                let Participant::Doing(machine, step, round) = world.participants[index].clone()
                else {
                    return None;
                };
                match step {
                    Step::Load => next.faults.failed_reads += 1,
                    _ => next.faults.failed_renewals += 1,
                }
                next.participants[index] =
                    settle(&mut next, machine, Event::Failed(Trouble::StoreDown), round);
            }
            Action::LogIn => {
                next.faults.logins += 1;
                next.needs += 1;
                next.issued += 1;
                next.record = Tokens {
                    // As a program for logins writes it that knows the refresh token alone.
                    access: USELESS,
                    refresh: 100 + next.issued,
                    is_refused: false,
                };
                next.good = vec![next.record.refresh];
                next.is_lost = false;
                next.version += 1;
            }
            Action::Crash(index) => {
                next.faults.crashes += 1;
                next.participants[index] = Participant::Crashed;
                next.lose();
            }
            Action::LoseAnswer(index) => {
                let Participant::Answered(machine, _, round) = world.participants[index].clone()
                else {
                    return None;
                };
                next.faults.lost_answers += 1;
                next.participants[index] = settle(
                    &mut next,
                    machine,
                    Event::Failed(Trouble::LostAnswer),
                    round,
                );
                next.lose();
            }
            Action::FailSave(index) | Action::LoseSaved(index) => {
                let Participant::Doing(machine, Step::Save(record, expect), round) =
                    world.participants[index].clone()
                else {
                    return None;
                };
                next.faults.failed_saves += 1;
                // A mark that is missing, an access token that others can get for themselves, or a
                // second failure after one that has cost the lease.
                let is_late = world.lapse == Lapse::OfStore && world.lease != Some(index);
                if record.is_refused || self.server == Server::Keeps || is_late {
                    next.costly_failures += 1;
                }
                if is_late {
                    next.lapse = Lapse::OfHolder;
                }
                if matches!(action, Action::LoseSaved(_)) && expect == Some(next.version) {
                    next.record = record;
                    next.version += 1;
                }
                next.participants[index] =
                    settle(&mut next, machine, Event::Failed(Trouble::StoreDown), round);
            }
            Action::Again(index) | Action::SaveKept(index) | Action::SaveKeptUnsure(index) => {
                let Participant::Done(_, Some(unsaved), _) = world.participants[index].clone()
                else {
                    return None;
                };
                next.needs += u8::from(action == Action::Again(index));
                let mut is_leased = world.lease == Some(index);
                if action == Action::SaveKept(index)
                    && world.lease.is_none()
                    && unsaved.keeps_others_waiting()
                {
                    next.take_lease(index);
                    is_leased = true;
                } else if action == Action::SaveKeptUnsure(index) {
                    next.faults.failed_renewals += 1;
                    is_leased = true;
                }
                let ((machine, step), round) = if action == Action::Again(index) {
                    let stale = Stale::Token(unsaved.record.access);
                    let begun = Refresh::new(stale, Some(unsaved), is_leased);
                    (begun, Round::Second)
                } else {
                    (Refresh::of_unsaved(unsaved, is_leased), Round::Last)
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
                    Participant::Answered(machine, event, round) => {
                        settle(&mut next, machine, event, round)
                    }
                    participant => participant,
                };
            }
        }
        Some(next.sorted())
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
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
            Step::Acquire if world.lease.is_none() => Event::Leased {
                is_after_lapse: world.take_lease(index),
            },
            Step::Acquire => Event::Held,
            Step::Wait | Step::Defer => Event::Waited,
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
            Step::Release | Step::GiveBack => {
                if world.lease == Some(index) {
                    world.lease = None;
                    if step == Step::Release {
                        world.lapse = Lapse::None;
                    }
                }
                Event::Released
            }
            Step::Finish => unreachable!("handled when it was returned"),
        };
        settle(world, machine, event, round)
    }
}

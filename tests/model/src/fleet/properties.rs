//! What holds in every state of the fleet, and what can be reached.

use stateright::Property;

use super::{Faults, Fleet, Participant, Round, Server, Trouble, USELESS, World};
use crate::machine::Outcome;

pub(super) fn all() -> Vec<Property<Fleet>> {
    vec![
        Property::always(
            "one request for each token that is needed, and at most one more for each fault",
            |_, world: &World| world.requests <= world.needs + world.costs(),
        ),
        Property::always("everyone is served", |_, world: &World| {
            let is_served = |participant: &Participant| match participant {
                Participant::Done(Outcome::Failed(Trouble::LostAnswer), ..) => {
                    world.faults.lost_answers > 0
                }
                Participant::Done(Outcome::Failed(Trouble::StoreDown), _, round) => {
                    world.faults.failed_reads > 0
                        || world.faults.failed_renewals > 0
                        || *round == Round::Last && world.faults.failed_saves > 0
                }
                Participant::Done(outcome, _, round) => match outcome {
                    Outcome::Adopted(token) | Outcome::Refreshed(token) => *token > USELESS,
                    Outcome::NothingToRefresh => *round == Round::Last,
                    _ => false,
                },
                _ => true,
            };
            !world.is_sound() || world.participants.iter().all(is_served)
        }),
        Property::always(
            "the refresh token in use is never lost",
            |_, world: &World| world.good.is_empty() || world.is_lost || world.has_good_token(),
        ),
        Property::always(
            "nothing is lost where the old refresh token overlaps with the new one",
            |fleet: &Fleet, world: &World| {
                fleet.server != Server::Overlaps || !world.is_lost || world.faults.failed_saves > 0
            },
        ),
        Property::always("in the end the record is good", |_, world: &World| {
            let is_over = world
                .participants
                .iter()
                .all(|participant| match participant {
                    Participant::Done(_, Some(unsaved), round) => {
                        *round == Round::Last && !unsaved.keeps_others_waiting()
                    }
                    Participant::Done(_, None, _) => true,
                    participant => *participant == Participant::Crashed,
                });
            let is_good = world.good.contains(&world.record.refresh);
            !is_over
                || world.is_lost
                || world.good.is_empty()
                || (is_good && !world.record.is_refused)
        }),
        Property::always(
            "what was granted is saved, unless the store fails, someone logs in, or two are granted",
            |fleet: &Fleet, world: &World| {
                let is_granted_twice =
                    fleet.server == Server::Overlaps && world.faults.expiries > 0;
                is_granted_twice
                    || world.faults.failed_saves > 0
                    || world.faults.logins > 0
                    || world
                        .participants
                        .iter()
                        .all(|participant| !matches!(participant, Participant::Done(_, Some(_), _)))
            },
        ),
        Property::always("only a refused token needs a person", |_, world: &World| {
            world
                .participants
                .iter()
                .all(|participant| match participant {
                    Participant::Done(Outcome::Reauthorize(_), ..) => !world.is_sound(),
                    Participant::Done(outcome, _, round) => {
                        *outcome != Outcome::NothingToRefresh || *round == Round::Last
                    }
                    _ => true,
                })
        }),
        Property::always(
            "no login is asked for while the record has a valid refresh token",
            |_, world: &World| world.faults.failed_saves > 0 || !world.is_misled,
        ),
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
            "a refused token is marked, unless the store fails or has or had another one",
            |_, world: &World| {
                let refused = |participant: &Participant| {
                    matches!(participant, Participant::Done(Outcome::Reauthorize(_), ..))
                };
                world.faults.failed_saves > 0
                    || world.faults.logins > 0
                    || world.record.is_refused
                    || world.record.access != USELESS
                    || !world.participants.iter().any(refused)
            },
        ),
        Property::sometimes("everyone ends", |_, world: &World| world.is_over()),
    ]
}

impl World {
    /// Returns how many requests the faults may have cost. A failed save costs none where the holder
    /// keeps the lease for it, not even if the store is away for longer than the lease lasts.
    fn costs(&self) -> u8 {
        let Faults {
            crashes,
            expiries,
            lost_answers,
            failed_reads: _,
            failed_saves: _,
            failed_renewals: _,
            outages: _,
            logins,
        } = self.faults;
        crashes + expiries + lost_answers + self.costly_failures + logins
    }

    /// Returns whether nothing happened that can leave the fleet with tokens that are refused: at
    /// most, processes crashed, and answers and saves were lost, but not the only copy of a refresh
    /// token.
    fn is_sound(&self) -> bool {
        let Faults {
            crashes: _,
            lost_answers: _,
            failed_reads: _,
            failed_saves: _,
            failed_renewals: _,
            outages: _,
            expiries,
            logins,
        } = self.faults;
        !self.is_lost && (expiries, self.costly_failures, logins) == (0, 0, 0)
    }
}

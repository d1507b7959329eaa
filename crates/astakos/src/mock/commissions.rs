//! Commissions: provisions that a component requests together and accepts or rejects later
//! (protocol section 8).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::bigint;
use super::quota::{Holdings, Provision, Verdict, summed};
use super::refusal::{Refusal, Ruled};

/// The commission that a component requests.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) provisions: Vec<Provision>,
    pub(super) name: String,
    pub(super) force: bool,
    pub(super) auto_accept: bool,
}

impl Wish {
    /// Reads a request, with the server's order of checks.
    pub(super) fn read(body: &Value) -> Ruled<Self> {
        let fields = body
            .as_object()
            .ok_or_else(|| Refusal::bad("the request is no object"))?;
        let provisions = match fields.get("provisions") {
            None | Some(Value::Null) => return Err(Refusal::bad("no provisions")),
            Some(Value::Array(provisions)) => provisions,
            Some(_) => return Err(Refusal::bad("provisions are no list")),
        };
        let provisions: Vec<_> = provisions.iter().map(provision).collect::<Ruled<_>>()?;
        let force = flag(fields, "force")?;
        let auto_accept = flag(fields, "auto_accept")?;
        let name = match fields.get("name") {
            None => String::new(),
            Some(Value::String(name)) => name.clone(),
            Some(_) => return Err(Refusal::bad("the name is no text")),
        };
        Ok(Self {
            provisions: summed(provisions),
            name,
            force,
            auto_accept,
        })
    }
}

/// The state of a commission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommissionState {
    /// Neither accepted nor rejected yet.
    Pending,
    /// Accepted.
    Accepted,
    /// Rejected.
    Rejected,
}

/// A commission that was issued.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    /// The component; `None` for those of the service itself.
    pub(super) owner: Option<String>,
    pub(super) name: String,
    /// Microseconds since 1970.
    pub(super) time: i64,
    pub(super) provisions: Vec<Provision>,
    pub(super) state: CommissionState,
}

/// Differences between servers that depend on their database.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Habits {
    /// Whether the serial of a resolved commission is reused.
    pub(super) reuses_serials: bool,
    /// How many characters of a name are kept.
    pub(super) name_limit: Option<usize>,
}

/// All commissions that were ever issued, so that a test can see their outcome.
#[derive(Clone, Debug, Default)]
pub(super) struct Commissions {
    habits: Habits,
    last: u64,
    /// Commissions whose serial was reused.
    past: Vec<(u64, Issued)>,
    issued: BTreeMap<u64, Issued>,
    pending: BTreeSet<u64>,
}

impl Commissions {
    pub(super) fn new(habits: Habits) -> Self {
        Self {
            habits,
            ..Self::default()
        }
    }

    /// Issues a commission. A refusal changes nothing and uses no serial.
    pub(super) fn issue(
        &mut self,
        holdings: &mut Holdings,
        owner: Option<&str>,
        wish: Wish,
        now: i64,
    ) -> Ruled<u64> {
        holdings.issue(&wish.provisions, wish.force)?;
        self.last = match self.habits.reuses_serials {
            true => self.pending.last().copied().unwrap_or_default() + 1,
            false => self.last + 1,
        };
        let serial = self.last;
        let name = match self.habits.name_limit {
            Some(limit) => wish.name.chars().take(limit).collect(),
            None => wish.name,
        };
        if let Some(past) = self.issued.remove(&serial) {
            self.past.push((serial, past));
        }
        self.issued.insert(
            serial,
            Issued {
                owner: owner.map(str::to_owned),
                name,
                time: now,
                provisions: wish.provisions,
                state: CommissionState::Pending,
            },
        );
        self.pending.insert(serial);
        if wish.auto_accept {
            self.resolve(holdings, owner, serial, Verdict::Accept)?;
        }
        Ok(serial)
    }

    /// Accepts or rejects a pending commission of the component.
    pub(super) fn resolve(
        &mut self,
        holdings: &mut Holdings,
        owner: Option<&str>,
        serial: u64,
        verdict: Verdict,
    ) -> Ruled<()> {
        if !self.pending.contains(&serial) {
            return Err(Refusal::NotPending);
        }
        let own = self.issued.get_mut(&serial);
        let issued = own
            .filter(|issued| issued.owner.as_deref() == owner)
            .ok_or(Refusal::NotPending)?;
        holdings.resolve(&issued.provisions, verdict);
        issued.state = match verdict {
            Verdict::Accept => CommissionState::Accepted,
            Verdict::Reject => CommissionState::Rejected,
        };
        self.pending.remove(&serial);
        Ok(())
    }

    /// Accepts and rejects several commissions; each failure is listed.
    pub(super) fn resolve_many(
        &mut self,
        holdings: &mut Holdings,
        owner: &str,
        body: &Value,
    ) -> Ruled<Value> {
        let fields = body
            .as_object()
            .ok_or_else(|| Refusal::bad("the request is no object"))?;
        let mut accept = serials(fields.get("accept"))?;
        let mut reject = serials(fields.get("reject"))?;
        let mut failed = Vec::new();
        for (serial, as_sent) in &accept {
            if reject.remove(serial).is_some() {
                let fault = json!({"code": 400, "message": "to be both accepted and rejected"});
                failed.push((*serial, json!([as_sent, {"badRequest": fault}])));
            }
        }
        for (serial, _) in &failed {
            accept.remove(serial);
        }
        let mut failed: Vec<Value> = failed.into_iter().map(|(_, told)| told).collect();
        let mut done = |serials: BTreeMap<i128, Value>, verdict| {
            let mut resolved = Vec::new();
            for (serial, as_sent) in serials {
                let known = u64::try_from(serial).unwrap_or_default();
                match self.resolve(holdings, Some(owner), known, verdict) {
                    Ok(()) => resolved.push(as_sent),
                    Err(_) => {
                        let fault = json!({"code": 404, "message": "no such pending serial"});
                        failed.push(json!([as_sent, {"itemNotFound": fault}]));
                    }
                }
            }
            resolved
        };
        let accepted = done(accept, Verdict::Accept);
        let rejected = done(reject, Verdict::Reject);
        Ok(json!({"accepted": accepted, "rejected": rejected, "failed": failed}))
    }

    /// The serials of a component's pending commissions.
    pub(super) fn pending_of(&self, owner: &str) -> Vec<u64> {
        let is_own = |serial: &&u64| {
            let issued = self.issued.get(serial);
            issued.is_some_and(|issued| issued.owner.as_deref() == Some(owner))
        };
        self.pending.iter().filter(is_own).copied().collect()
    }

    /// A pending commission of a component.
    pub(super) fn info(&self, owner: &str, serial: u64) -> Ruled<&Issued> {
        let issued = self.issued.get(&serial);
        issued
            .filter(|issued| issued.state == CommissionState::Pending)
            .filter(|issued| issued.owner.as_deref() == Some(owner))
            .ok_or(Refusal::NotPending)
    }

    pub(super) fn pending(&self) -> impl Iterator<Item = (u64, &Issued)> {
        let pending = self.pending.iter();
        pending.filter_map(|serial| Some((*serial, self.issued.get(serial)?)))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &Issued)> {
        let past = self.past.iter().map(|(serial, issued)| (*serial, issued));
        past.chain(self.issued.iter().map(|(serial, issued)| (*serial, issued)))
    }
}

/// Reads which of two actions a request asks for.
pub(super) fn verdict(body: &Value) -> Ruled<Verdict> {
    let fields = body
        .as_object()
        .ok_or_else(|| Refusal::bad("the request is no object"))?;
    match (fields.contains_key("accept"), fields.contains_key("reject")) {
        (true, false) => Ok(Verdict::Accept),
        (false, true) => Ok(Verdict::Reject),
        _ => Err(Refusal::bad("one of accept and reject is needed")),
    }
}

fn provision(value: &Value) -> Ruled<Provision> {
    let read = || {
        let fields = value.as_object()?;
        Some(Provision {
            holder: fields.get("holder")?.clone(),
            source: fields.get("source")?.clone(),
            resource: fields.get("resource")?.clone(),
            quantity: quantity(fields.get("quantity")?)?,
        })
    };
    read().ok_or_else(|| Refusal::bad("a malformed provision"))
}

/// An integer; the server takes true for one and false for zero.
fn quantity(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(flag) => Some((*flag).into()),
        Value::Number(number) => number.as_i128(),
        // A larger one is an integer too, and is refused later for its size.
        Value::String(text) => bigint::value(text),
        _ => None,
    }
}

fn flag(fields: &Map<String, Value>, name: &str) -> Ruled<bool> {
    match fields.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Refusal::bad(format!("{name} is neither true nor false"))),
    }
}

/// Reads a list of serials without duplicates, each as it was written: true counts as one.
fn serials(value: Option<&Value>) -> Ruled<BTreeMap<i128, Value>> {
    let list = match value {
        None => return Ok(BTreeMap::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(Refusal::bad("no list of serials")),
    };
    let read = |serial: &Value| Some((quantity(serial)?, serial.clone()));
    let serials: Option<_> = list.iter().map(read).collect();
    serials.ok_or_else(|| Refusal::bad("a serial that is no integer"))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::mock::quota::Holding;

    const HOLDERS: [(&str, Option<&str>); 3] = [
        ("user:u", Some("project:p")),
        ("user:v", Some("project:p")),
        ("project:p", None),
    ];
    const RESOURCES: [&str; 2] = ["vm", "cpu"];
    const OWNERS: [&str; 2] = ["one", "two"];

    /// The next step of a component.
    #[derive(Clone, Debug)]
    enum Step {
        Issue {
            owner: usize,
            provisions: Vec<(usize, usize, i64)>,
            force: bool,
            auto_accept: bool,
        },
        Resolve(usize, Verdict),
        ResolveMany(Vec<usize>, Vec<usize>),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let provision = (0..HOLDERS.len(), 0..RESOURCES.len(), -5..=6_i64);
        let issue = (
            0..2_usize,
            vec(provision, 0..5),
            any::<bool>(),
            any::<bool>(),
        );
        let issue = issue.prop_map(|(owner, provisions, force, auto_accept)| Step::Issue {
            owner,
            provisions,
            force,
            auto_accept,
        });
        let resolve = (0..20_usize, any::<bool>()).prop_map(|(at, accept)| {
            Step::Resolve(
                at,
                if accept {
                    Verdict::Accept
                } else {
                    Verdict::Reject
                },
            )
        });
        let many = (vec(0..20_usize, 0..4), vec(0..20_usize, 0..4));
        let many = many.prop_map(|(accept, reject)| Step::ResolveMany(accept, reject));
        vec(prop_oneof![4 => issue, 3 => resolve, 1 => many], 0..40)
    }

    fn beginning() -> Holdings {
        let mut holdings = Holdings::default();
        for (holder, source) in HOLDERS {
            for resource in RESOURCES {
                holdings.limit((holder, source, resource), 10);
            }
        }
        holdings
    }

    /// Does a step, and returns the serial of an issued commission.
    fn take(step: &Step, commissions: &mut Commissions, holdings: &mut Holdings) {
        match step {
            Step::Issue {
                owner,
                provisions,
                force,
                auto_accept,
            } => {
                let provisions = provisions.iter().map(|(holder, resource, quantity)| {
                    let (holder, source) = HOLDERS[*holder];
                    Provision::new(holder, source, RESOURCES[*resource], *quantity)
                });
                let wish = Wish {
                    provisions: summed(provisions.collect()),
                    name: String::new(),
                    force: *force,
                    auto_accept: *auto_accept,
                };
                let before = holdings.clone();
                let issued = commissions.issue(holdings, Some(OWNERS[*owner]), wish, 0);
                if issued.is_err() {
                    assert!(holdings.all().eq(before.all()), "a refusal left a trace");
                }
            }
            Step::Resolve(at, verdict) => {
                let Some((serial, owner)) = pending(commissions, *at) else {
                    return;
                };
                let done = commissions.resolve(holdings, Some(&owner), serial, *verdict);
                assert_eq!(done, Ok(()));
                let again = commissions.resolve(holdings, Some(&owner), serial, *verdict);
                assert_eq!(again, Err(Refusal::NotPending));
            }
            Step::ResolveMany(accept, reject) => {
                let serials = |places: &[usize]| -> Vec<u64> {
                    let found = places.iter().filter_map(|at| pending(commissions, *at));
                    found.map(|(serial, _)| serial).collect()
                };
                let body = json!({"accept": serials(accept), "reject": serials(reject)});
                commissions
                    .resolve_many(holdings, OWNERS[0], &body)
                    .unwrap();
            }
        }
    }

    fn pending(commissions: &Commissions, at: usize) -> Option<(u64, String)> {
        let (serial, issued) = commissions.pending().nth(at)?;
        Some((serial, issued.owner.clone()?))
    }

    /// The holdings that result from the commissions alone.
    fn expected(commissions: &Commissions) -> Vec<(i64, i64)> {
        let mut counted = Vec::new();
        for (holder, _) in HOLDERS {
            for resource in RESOURCES {
                let (mut min, mut max) = (0, 0);
                for (_, issued) in commissions.all() {
                    for provision in &issued.provisions {
                        if provision.holder != holder || provision.resource != resource {
                            continue;
                        }
                        let quantity = i64::try_from(provision.quantity).unwrap();
                        match issued.state {
                            CommissionState::Accepted => {
                                min += quantity;
                                max += quantity;
                            }
                            CommissionState::Pending => {
                                min += quantity.min(0);
                                max += quantity.max(0);
                            }
                            CommissionState::Rejected => {}
                        }
                    }
                }
                counted.push((min, max));
            }
        }
        counted
    }

    fn seen(holdings: &Holdings) -> Vec<(i64, i64)> {
        let mut counted = Vec::new();
        for (holder, source) in HOLDERS {
            for resource in RESOURCES {
                let holding = holdings.get(holder, source, resource).unwrap();
                counted.push((holding.usage_min, holding.usage_max));
            }
        }
        counted
    }

    proptest! {
        #[test]
        fn usage_is_always_the_sum_of_what_was_accepted_and_what_is_pending(steps in steps()) {
            let (mut commissions, mut holdings) = (Commissions::default(), beginning());
            for step in &steps {
                take(step, &mut commissions, &mut holdings);
                prop_assert_eq!(seen(&holdings), expected(&commissions));
                for (min, max) in seen(&holdings) {
                    prop_assert!(0 <= min && min <= max);
                }
            }
        }

        #[test]
        fn without_force_no_limit_is_passed(steps in steps()) {
            let (mut commissions, mut holdings) = (Commissions::default(), beginning());
            for mut step in steps {
                if let Step::Issue { force, .. } = &mut step {
                    *force = false;
                }
                take(&step, &mut commissions, &mut holdings);
                for (_, max) in seen(&holdings) {
                    prop_assert!(max <= 10);
                }
            }
        }

        #[test]
        fn rejecting_everything_returns_to_the_start(steps in steps()) {
            let (mut commissions, mut holdings) = (Commissions::default(), beginning());
            for mut step in steps {
                match &mut step {
                    Step::Issue { auto_accept, .. } => *auto_accept = false,
                    Step::Resolve(_, verdict) => *verdict = Verdict::Reject,
                    Step::ResolveMany(accept, _) => accept.clear(),
                }
                take(&step, &mut commissions, &mut holdings);
            }
            while let Some((serial, owner)) = pending(&commissions, 0) {
                let done = commissions.resolve(&mut holdings, Some(&owner), serial, Verdict::Reject);
                prop_assert_eq!(done, Ok(()));
            }
            prop_assert!(holdings.all().eq(beginning().all()));
        }
    }

    #[test]
    fn a_release_frees_room_only_when_it_is_accepted() {
        let mut holdings = Holdings::default();
        let key = ("user:u", Some("project:p"), "vm");
        let full = Holding {
            limit: 2,
            usage_min: 2,
            usage_max: 2,
        };
        holdings.put(key, full);
        let mut commissions = Commissions::default();
        let mut issue = |commissions: &mut Commissions, quantity| {
            let wish = Wish {
                provisions: vec![Provision::new(key.0, key.1, key.2, quantity)],
                name: String::new(),
                force: false,
                auto_accept: false,
            };
            commissions.issue(&mut holdings, Some("c"), wish, 0)
        };
        let release = issue(&mut commissions, -2).unwrap();
        assert!(issue(&mut commissions, 1).is_err(), "room too early");
        assert!(issue(&mut commissions, -1).is_err(), "released twice");
        commissions
            .resolve(&mut holdings, Some("c"), release, Verdict::Accept)
            .unwrap();
        assert_eq!(holdings.get(key.0, key.1, key.2).unwrap().usage(), 0);
    }

    #[test]
    fn a_commission_is_only_its_components() {
        let (mut commissions, mut holdings) = (Commissions::default(), beginning());
        let wish = Wish {
            provisions: vec![Provision::new("project:p", None, "vm", 1)],
            name: "mine".to_owned(),
            force: false,
            auto_accept: false,
        };
        let serial = commissions
            .issue(&mut holdings, Some("one"), wish, 0)
            .unwrap();
        assert_eq!(commissions.pending_of("one"), [serial]);
        assert!(commissions.pending_of("two").is_empty());
        assert!(commissions.info("two", serial).is_err());
        let foreign = commissions.resolve(&mut holdings, Some("two"), serial, Verdict::Accept);
        assert_eq!(foreign, Err(Refusal::NotPending));
        assert_eq!(commissions.info("one", serial).unwrap().name, "mine");
    }
}

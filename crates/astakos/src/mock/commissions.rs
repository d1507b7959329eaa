//! Commissions: provisions that a component applies together and accepts or rejects later
//! (protocol section 8).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::quota::{Holdings, Provision, Verdict, summed};
use super::refusal::{Refusal, Ruled};

/// What a component asks for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) provisions: Vec<Provision>,
    pub(super) name: String,
    pub(super) force: bool,
    pub(super) auto_accept: bool,
}

impl Wish {
    /// Reads a request; the checks come in the order of the server.
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

/// Where a commission stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommissionState {
    /// Neither accepted nor rejected yet.
    Pending,
    /// It counts.
    Accepted,
    /// It never was.
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

/// All commissions that ever were, so that a test can see what became of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Commissions {
    last: u64,
    issued: BTreeMap<u64, Issued>,
    pending: BTreeSet<u64>,
}

impl Commissions {
    /// Issues one. Nothing changes and no serial is used if it is refused.
    pub(super) fn issue(
        &mut self,
        holdings: &mut Holdings,
        owner: Option<&str>,
        wish: Wish,
        now: i64,
    ) -> Ruled<u64> {
        holdings.issue(&wish.provisions, wish.force)?;
        self.last += 1;
        let serial = self.last;
        self.issued.insert(
            serial,
            Issued {
                owner: owner.map(str::to_owned),
                name: wish.name,
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

    /// Accepts or rejects one that is pending and the component's own.
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

    /// Accepts and rejects many; what cannot be done is told one by one.
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

    /// The serials that a component has not resolved.
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
        self.issued.iter().map(|(serial, issued)| (*serial, issued))
    }
}

/// Reads which of two actions a request is for.
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

/// An integer; true and false are ones to the server.
fn quantity(value: &Value) -> Option<i128> {
    match value {
        Value::Bool(flag) => Some((*flag).into()),
        Value::Number(number) => number.as_i128(),
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

/// Reads a list of serials, each once, with how it was written: true is a one to the server.
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

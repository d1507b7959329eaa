//! Holdings: usage and limits, and how provisions change them (protocol section 8). Permissions are
//! checked elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::bigint;
use super::refusal::{Refusal, Ruled};

/// The counter of one (holder, source, resource).
///
/// Pending amounts lie between `usage_min` and `usage_max`; accepting and rejecting moves one of
/// them to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holding {
    /// The limit; `i64::MAX` is unlimited.
    pub limit: i64,
    /// The usage without pending imports.
    pub usage_min: i64,
    /// The usage if every pending import is accepted and every pending release rejected, which the
    /// service reports.
    pub usage_max: i64,
}

impl Holding {
    /// Returns the usage that the service reports.
    #[must_use]
    pub fn usage(&self) -> i64 {
        self.usage_max
    }

    /// Returns how much of that is pending.
    #[must_use]
    pub fn pending(&self) -> i64 {
        self.usage_max - self.usage_min
    }
}

/// A change of one holding. Names are kept as they came: the server accepts any JSON for them and
/// finds no such holding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Provision {
    pub(super) holder: Value,
    pub(super) source: Value,
    pub(super) resource: Value,
    pub(super) quantity: i128,
}

impl Provision {
    pub(super) fn new(holder: &str, source: Option<&str>, resource: &str, quantity: i64) -> Self {
        Self {
            holder: holder.into(),
            source: source.into(),
            resource: resource.into(),
            quantity: quantity.into(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "holder": self.holder,
            "source": self.source,
            "resource": self.resource,
            "quantity": bigint::shown(self.quantity),
        })
    }

    /// The names, if they are texts.
    fn key(&self) -> Option<(&str, Option<&str>, &str)> {
        let source = match &self.source {
            Value::Null => None,
            source => Some(source.as_str()?),
        };
        Some((self.holder.as_str()?, source, self.resource.as_str()?))
    }

    fn has_names_of(&self, other: &Self) -> bool {
        (&self.holder, &self.source, &self.resource)
            == (&other.holder, &other.source, &other.resource)
    }

    fn blamed(&self, status: u16, message: String, mut data: Value) -> Refusal {
        data["provision"] = self.to_json();
        Refusal::Commission {
            status,
            message,
            data,
        }
    }
}

/// Adds up the provisions of the same holding, in the order of the first of each.
pub(super) fn summed(provisions: Vec<Provision>) -> Vec<Provision> {
    let mut sums: Vec<Provision> = Vec::with_capacity(provisions.len());
    for provision in provisions {
        match sums.iter_mut().find(|sum| sum.has_names_of(&provision)) {
            Some(sum) => sum.quantity = sum.quantity.saturating_add(provision.quantity),
            None => sums.push(provision),
        }
    }
    sums
}

/// How a commission ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accept,
    Reject,
}

/// The holdings of one holder from one source, in the order of their resources. A list, since it is
/// short and a hundred thousand users may each have one.
type Shelf = Vec<(Arc<str>, Holding)>;

/// All holdings: by holder, source (empty for none), resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Holdings {
    by_holder: BTreeMap<String, Vec<(Arc<str>, Shelf)>>,
    /// Each name of a source or resource, once.
    names: BTreeSet<Arc<str>>,
}

impl Holdings {
    pub(super) fn get(
        &self,
        holder: &str,
        source: Option<&str>,
        resource: &str,
    ) -> Option<Holding> {
        let mut shelf = self.shelf(holder, source);
        let (_, holding) = shelf.find(|(name, _)| *name == resource)?;
        Some(holding)
    }

    /// The holdings of a holder from one source, by resource.
    pub(super) fn shelf(
        &self,
        holder: &str,
        source: Option<&str>,
    ) -> impl Iterator<Item = (&str, Holding)> {
        let sources = self.by_holder.get(holder).into_iter().flatten();
        let wanted = named(source);
        let shelf = sources
            .filter(move |(name, _)| Some(&**name) == wanted)
            .flat_map(|(_, shelf)| shelf);
        shelf.map(|(name, holding)| (&**name, *holding))
    }

    /// The sources of a holder.
    pub(super) fn sources(&self, holder: &str) -> impl Iterator<Item = Option<&str>> {
        let sources = self.by_holder.get(holder).into_iter().flatten();
        sources.map(|(source, _)| unnamed(source))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, Option<&str>, &str, Holding)> {
        self.by_holder.iter().flat_map(|(holder, sources)| {
            sources.iter().flat_map(move |(source, shelf)| {
                shelf.iter().map(move |(resource, holding)| {
                    (holder.as_str(), unnamed(source), &**resource, *holding)
                })
            })
        })
    }

    pub(super) fn put(&mut self, key: (&str, Option<&str>, &str), holding: Holding) {
        let (holder, source, resource) = key;
        let source = self.name(source.unwrap_or_default());
        let resource = self.name(resource);
        let sources = match self.by_holder.get_mut(holder) {
            Some(sources) => sources,
            None => self.by_holder.entry(holder.to_owned()).or_default(),
        };
        *place(place(sources, source), resource) = holding;
    }

    /// Sets a limit and keeps the usage. A new holding has no usage.
    pub(super) fn limit(&mut self, key: (&str, Option<&str>, &str), limit: i64) {
        let (holder, source, resource) = key;
        let old = self.get(holder, source, resource).unwrap_or_default();
        self.put(key, Holding { limit, ..old });
    }

    /// Reserves all provisions or none. They must be [`summed`].
    pub(super) fn issue(&mut self, provisions: &[Provision], force: bool) -> Ruled<()> {
        let mut changed = Vec::with_capacity(provisions.len());
        for provision in provisions {
            changed.push(self.reserved(provision, force)?);
        }
        for (provision, holding) in provisions.iter().zip(changed) {
            if let Some(old) = self.of(provision) {
                *old = holding;
            }
        }
        Ok(())
    }

    /// Ends a commission that was issued. Limits are not checked.
    pub(super) fn resolve(&mut self, provisions: &[Provision], verdict: Verdict) {
        for provision in provisions {
            // It was within bounds when it was stored.
            let quantity = i64::try_from(provision.quantity).unwrap_or_default();
            let Some(holding) = self.of(provision) else {
                continue;
            };
            match (verdict, quantity >= 0) {
                (Verdict::Accept, true) => holding.usage_min += quantity,
                (Verdict::Accept, false) => holding.usage_max += quantity,
                (Verdict::Reject, true) => holding.usage_max -= quantity,
                (Verdict::Reject, false) => holding.usage_min -= quantity,
            }
        }
    }

    /// A holding after a provision has become pending.
    fn reserved(&self, provision: &Provision, force: bool) -> Ruled<Holding> {
        let names = [&provision.holder, &provision.source, &provision.resource];
        if names.iter().any(|name| name.is_array() || name.is_object()) {
            return Err(Refusal::Crash);
        }
        let held = provision.key().and_then(|(h, s, r)| self.get(h, s, r));
        let Some(mut holding) = held else {
            let message = format!("there is no holding of {}", provision.resource);
            let data = json!({"name": "NoHoldingError"});
            return Err(provision.blamed(404, message, data));
        };
        let quantity = provision.quantity;
        if quantity >= 0 {
            let usage = quantity.saturating_add(holding.usage_max.into());
            if !force && usage > holding.limit.into() {
                let message = format!("not enough room for {quantity}");
                let data = json!({
                    "name": "NoCapacityError",
                    "limit": holding.limit,
                    "usage": holding.usage_max,
                });
                return Err(provision.blamed(413, message, data));
            }
            holding.usage_max = i64::try_from(usage).map_err(|_| Refusal::Crash)?;
        } else {
            let usage = quantity.saturating_add(holding.usage_min.into());
            if usage < 0 {
                let message = format!("less than {} is held", quantity.unsigned_abs());
                let data = json!({
                    "name": "NoQuantityError",
                    "limit": 0,
                    "usage": holding.usage_min,
                });
                return Err(provision.blamed(413, message, data));
            }
            holding.usage_min = i64::try_from(usage).map_err(|_| Refusal::Crash)?;
        }
        Ok(holding)
    }

    fn of(&mut self, provision: &Provision) -> Option<&mut Holding> {
        let (holder, source, resource) = provision.key()?;
        let wanted = named(source)?;
        let mut sources = self.by_holder.get_mut(holder)?.iter_mut();
        let (_, shelf) = sources.find(|(name, _)| **name == *wanted)?;
        let mut shelf = shelf.iter_mut();
        let (_, holding) = shelf.find(|(name, _)| **name == *resource)?;
        Some(holding)
    }

    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.names.insert(Arc::clone(&name));
        name
    }
}

/// Finds an entry by name in an ordered list, and inserts it if it is missing.
fn place<T: Default>(list: &mut Vec<(Arc<str>, T)>, name: Arc<str>) -> &mut T {
    let at = match list.binary_search_by(|(known, _)| known.cmp(&name)) {
        Ok(at) => at,
        Err(at) => {
            list.reserve_exact(1);
            list.insert(at, (name, T::default()));
            at
        }
    };
    &mut list[at].1
}

/// The key of a source; no source has an empty name.
fn named(source: Option<&str>) -> Option<&str> {
    match source {
        Some("") => None,
        source => Some(source.unwrap_or_default()),
    }
}

fn unnamed(source: &str) -> Option<&str> {
    (!source.is_empty()).then_some(source)
}

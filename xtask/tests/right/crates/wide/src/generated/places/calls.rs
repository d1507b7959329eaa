// Made by `cargo xtask codegen` from crates/wide/api/places.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use vouchsafe_core::Result;
use vouchsafe_core::call::{Call, limits};
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// The values of `placeList`.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlaceListParams {
    /// Words in the name, in order.
    pub(crate) search: Option<String>,
    /// Items on a page.
    pub(crate) limit: Option<i64>,
    /// The parameter `offset`.
    pub(crate) offset: Option<i64>,
    /// The parameter `recurse`.
    pub(crate) recurse: Option<bool>,
    /// The parameter `kind`.
    pub(crate) kind: Option<wire::PlaceKind>,
}

/// Places, sorted by name.
pub(crate) fn place_list(params: &PlaceListParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.search {
            limits::text("search", value, None, Some(40))?;
        }
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(0), Some(50))?;
        }
        if let Some(value) = &params.offset {
            limits::integer("offset", *value, Some(0), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::PLACE_LIST.id()))?;
    let target = Target::new("/places");
    let target = target.query_opt("search", params.search.as_deref());
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("offset", params.offset.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("recurse", params.recurse.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("kind", params.kind.as_ref().map(|value| value.as_str()));
    Ok(Call::new(&operations::PLACE_LIST, target))
}

/// Make a place.
pub(crate) fn place_new(body: &wire::NewPlace) -> Result<Call> {
    let check = || -> Result<()> {
        body.check()?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::PLACE_NEW.id()))?;
    let target = Target::new("/places");
    Call::new(&operations::PLACE_NEW, target).json(body)
}

/// One place.
pub(crate) fn place_get(place_id: &wire::PlaceId) -> Result<Call> {
    let target = Target::new("/places/").segment("place_id", place_id.as_str())?;
    Ok(Call::new(&operations::PLACE_GET, target))
}

/// Remove a place.
pub(crate) fn place_delete(place_id: &wire::PlaceId) -> Result<Call> {
    let target = Target::new("/places/").segment("place_id", place_id.as_str())?;
    Ok(Call::new(&operations::PLACE_DELETE, target))
}

/// The values of `labelAdd`.
#[derive(Clone, Debug, Default)]
pub(crate) struct LabelAddParams {
    /// The parameter `note`.
    pub(crate) note: Option<String>,
}

/// Put a label on a place.
pub(crate) fn label_add(
    place_id: &wire::PlaceId,
    label: &str,
    params: &LabelAddParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        {
            let value = label;
            limits::without("label", value, "/")?;
        }
        if let Some(value) = &params.note {
            limits::without("note", value, ";&")?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LABEL_ADD.id()))?;
    let target = Target::new("/places/")
        .segment("place_id", place_id.as_str())?
        .literal("/labels/")
        .segment("label", label)?;
    let target = target.query_opt("note", params.note.as_deref());
    Ok(Call::new(&operations::LABEL_ADD, target))
}

/// The values of `floorName`.
#[derive(Clone, Debug, Default)]
pub(crate) struct FloorNameParams {
    /// The parameter `above`.
    pub(crate) above: Option<crate::Level>,
}

/// Name a floor.
///
/// Not all servers have it: 2+.
pub(crate) fn floor_name(
    level: &crate::Level,
    params: &FloorNameParams,
) -> Result<Call> {
    let target = Target::new("/floors/").segment("level", &level.to_string())?;
    let target = target
        .query_opt("above", params.above.as_ref().map(ToString::to_string).as_deref());
    Ok(Call::new(&operations::FLOOR_NAME, target))
}

/// Who owns a place.
pub(crate) fn owner_get(place_id: &wire::PlaceId) -> Result<Call> {
    let target = Target::new("/owners/").segment("place_id", place_id.as_str())?;
    Ok(Call::new(&operations::OWNER_GET, target))
}

/// Give a place up.
pub(crate) fn owner_delete(place_id: &wire::PlaceId) -> Result<Call> {
    let target = Target::new("/owners/").segment("place_id", place_id.as_str())?;
    Ok(Call::new(&operations::OWNER_DELETE, target))
}

/// Who owns places.
pub(crate) fn owner_list() -> Result<Call> {
    let target = Target::new("/owners");
    Ok(Call::new(&operations::OWNER_LIST, target))
}

/// Introduce an owner.
pub(crate) fn owner_new(body: &wire::NewOwner) -> Result<Call> {
    let target = Target::new("/owners");
    Call::new(&operations::OWNER_NEW, target).json(body)
}

/// Do something with a place.
pub(crate) fn place_act(
    place_id: &wire::PlaceId,
    action: &wire::PlaceAction,
    reason: &str,
) -> Result<Call> {
    let check = || -> Result<()> {
        limits::text("reason", reason, None, Some(8))?;
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::PLACE_ACT.id()))?;
    let target = Target::new("/places/")
        .segment("place_id", place_id.as_str())?
        .literal("/action");
    Call::new(&operations::PLACE_ACT, target)
        .json(&std::collections::BTreeMap::from([(action.as_str(), reason)]))
}

/// The values of `visitList`.
#[derive(Clone, Debug, Default)]
pub(crate) struct VisitListParams {
    /// The parameter `of`.
    pub(crate) of: Option<Vec<String>>,
}

/// How often places were seen.
pub(crate) fn visit_list(params: &VisitListParams) -> Result<Call> {
    let check = || -> Result<()> {
        if let Some(value) = &params.of {
            limits::items("of", value.len(), None, Some(3))?;
        }
        for value in params.of.iter().flatten() {
            limits::without("of", value, ";,")?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::VISIT_LIST.id()))?;
    let target = Target::new("/visits");
    let target = match &params.of {
        Some(values) => target.query("of", &values.join(",")),
        None => target,
    };
    Ok(Call::new(&operations::VISIT_LIST, target))
}

/// How often a place was seen.
pub(crate) fn visit_count(place_id: &wire::PlaceId) -> Result<Call> {
    let target = Target::new("/visits/").segment("place_id", place_id.as_str())?;
    Ok(Call::new(&operations::VISIT_COUNT, target))
}

/// Log in.
pub(crate) fn session_new(body: &wire::PlaceLogin) -> Result<Call> {
    let target = Target::new("/sessions");
    Call::new(&operations::SESSION_NEW, target).secret_json(body)
}

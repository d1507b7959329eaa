//! The results of methods: the successful answer, and the pages of lists.

use super::model::METHODS;
use super::model::{
    Answer, Body, Field, Operation, Page, PageField, PageStyle, Presence, Reply, Shape, Type,
    TypeDef,
};
use super::names;
use super::source::{Cursor, Mistake, scalar};

/// Completes the operations that have a method.
pub(crate) fn resolve(
    root: &Cursor<'_>,
    types: &[TypeDef],
    operations: &mut [Operation],
) -> Result<(), Mistake> {
    let mut seen: Vec<(Option<String>, String)> = Vec::new();
    for operation in operations.iter_mut().filter(|o| o.has_method()) {
        let Some(place) = find(root, &operation.id) else {
            continue;
        };
        if matches!(operation.body, Some(Body::Other(_))) {
            return Err(place.mistake(
                "no method can be generated for a body that is neither JSON nor a form",
                "`x-hand: true`",
            ));
        }
        let name = (operation.group.clone(), operation.method_name.clone());
        if seen.contains(&name) {
            return Err(place.mistake(
                format!("two methods are called `{}`", operation.method_name),
                "an `x-method` of its own",
            ));
        }
        seen.push(name);
        if !operation.is_plain() || place.has("x-page") {
            let builder = format!("{}Request", names::pascal(&operation.rust));
            if types.iter().any(|def| def.name == builder) {
                return Err(place.mistake(
                    format!("the request builder {builder} has the name of a schema"),
                    "an `x-rust-name` of its own",
                ));
            }
        }
        operation.reply = reply(&place, types, operation)?;
        if let Some(check) = place.get("x-check")
            && (operation.is_plain() || matches!(operation.reply, Reply::Nothing))
        {
            return Err(check.mistake(
                "`x-check` without a choice or an answer",
                "it at an operation with optional values and an answer",
            ));
        }
        operation.page = page(&place, types, operation)?;
    }
    Ok(())
}

fn find<'s>(root: &Cursor<'s>, id: &str) -> Option<Cursor<'s>> {
    let paths = root.get("paths")?.entries();
    let mut all = paths
        .into_iter()
        .flat_map(|(_, item)| METHODS.iter().filter_map(move |method| item.get(method)));
    all.find(|operation| operation.text("operationId").as_deref() == Some(id))
}

fn reply(place: &Cursor<'_>, types: &[TypeDef], operation: &Operation) -> Result<Reply, Mistake> {
    let success: Vec<&Answer> = operation
        .answers
        .iter()
        .filter(|answer| answer.status.starts_with(['2', '3']))
        .collect();
    let first = success.first().filter(|first| {
        let same = |other: &&Answer| other.ty == first.ty && other.media == first.media;
        first.status.starts_with('2') && success.iter().all(same)
    });
    let Some(first) = first else {
        return Err(place.mistake(
            "no method can be generated for several kinds of successful answers",
            "`x-hand: true`",
        ));
    };
    Ok(match (&first.ty, first.media.as_deref()) {
        (Some(ty), _) => {
            let part = match &operation.part {
                Some(name) => {
                    let field =
                        field(types, ty, name).ok_or_else(|| lacks(place, "x-answer", name))?;
                    Some((field.rust.clone(), field.ty.clone()))
                }
                None => None,
            };
            Reply::Json {
                ty: ty.clone(),
                may_be_empty: place.flag("x-empty"),
                part,
            }
        }
        (None, None) => Reply::Nothing,
        (None, Some(media)) if media.starts_with("text/") => Reply::Text,
        (None, Some(_)) => Reply::Other,
    })
}

fn page(
    place: &Cursor<'_>,
    types: &[TypeDef],
    operation: &Operation,
) -> Result<Option<Page>, Mistake> {
    let Some(spec) = place.get("x-page") else {
        return Ok(None);
    };
    let Reply::Json { ty, part: None, .. } = &operation.reply else {
        return Err(spec.mistake(
            "`x-page` at an operation that does not answer with an object",
            "a successful answer that is an object with the items",
        ));
    };
    let known = |key: &str, of: &Type| {
        let Some(name) = spec.text(key) else {
            return Ok(None);
        };
        match field(types, of, &name) {
            Some(field) => Ok(Some(field)),
            None => Err(lacks(&spec, key, &name)),
        }
    };
    let parameter = |key: &str, usual: &str, fits: fn(&Type) -> bool| {
        let name = spec.text(key).unwrap_or_else(|| usual.to_owned());
        let mut params = operation.params.iter();
        match params.find(|param| param.name == name && !param.required && fits(&param.ty)) {
            Some(_) => Ok(name),
            None => Err(spec.mistake(
                format!("`x-page` needs the optional parameter `{name}`"),
                format!("it under `parameters`, of the right type, or `{key}: <its name>`"),
            )),
        }
    };
    let style = match spec.text("style").as_deref() {
        Some("offset") => PageStyle::Offset {
            offset: parameter("offset", "offset", |ty| *ty == Type::Integer)?,
            limit: parameter("limit", "limit", |ty| *ty == Type::Integer)?,
            size: spec
                .get("size")
                .and_then(|size| size.value().as_u64())
                .unwrap_or(100),
        },
        Some("token") => PageStyle::Token {
            param: parameter("param", "page_token", |ty| *ty == Type::Text)?,
        },
        _ => {
            return Err(spec.mistake(
                "`x-page` has no known style",
                "`style: offset` or `style: token`",
            ));
        }
    };
    let items = known("items", ty)?;
    let item = items.and_then(|field| match &field.ty {
        Type::List(item) => Some((field, (**item).clone())),
        Type::Optional(inner) => match &**inner {
            Type::List(item) => Some((field, (**item).clone())),
            _ => None,
        },
        _ => None,
    });
    let Some((items, item)) = item else {
        return Err(spec.mistake(
            "`x-page` does not say which property holds the items",
            "`items: <name of a list in the answer>`",
        ));
    };
    let key = keys(&spec, types, &item)?;
    let is_plain = match &item {
        Type::Text => true,
        Type::Named(name) => types
            .iter()
            .any(|def| def.name == *name && matches!(def.shape, Shape::Id { .. })),
        _ => false,
    };
    let is_offset = matches!(style, PageStyle::Offset { .. });
    if is_offset && key.is_empty() && !is_plain {
        return Err(spec.mistake(
            "`x-page` does not say what identifies an item",
            "`key: <property of an item>`",
        ));
    }
    let next = known("next", ty)?;
    if !is_offset && next.is_none() {
        return Err(spec.mistake(
            "`x-page` does not say where the next token is",
            "`next: <property of the answer>`",
        ));
    }
    Ok(Some(Page {
        style,
        item,
        items: page_field(items),
        total: known("total", ty)?.map(page_field),
        next: next.map(page_field),
        key: key.into_iter().map(page_field).collect(),
    }))
}

/// Returns the fields that identify an item.
fn keys<'t>(
    spec: &Cursor<'_>,
    types: &'t [TypeDef],
    item: &Type,
) -> Result<Vec<&'t Field>, Mistake> {
    let names = match spec.texts("key") {
        names if names.is_empty() => Vec::from_iter(spec.text("key")),
        names => names,
    };
    let one = |name: &String| field(types, item, name).ok_or_else(|| lacks(spec, "key", name));
    names.iter().map(one).collect()
}

fn field<'t>(types: &'t [TypeDef], of: &Type, name: &str) -> Option<&'t Field> {
    let Type::Named(of) = of else { return None };
    let def = types.iter().find(|def| def.name == *of)?;
    let Shape::Struct { fields, .. } = &def.shape else {
        return None;
    };
    fields.iter().find(|field| field.name == name)
}

fn page_field(field: &Field) -> PageField {
    PageField {
        rust: field.rust.clone(),
        optional: matches!(field.ty, Type::Optional(_)) && field.presence != Presence::Empty,
    }
}

fn lacks(place: &Cursor<'_>, key: &str, name: &str) -> Mistake {
    let at = place.get(key).unwrap_or_else(|| place.clone());
    let shown = scalar(at.value());
    at.mistake(
        format!("`{key}: {shown}` names nothing: there is no property `{name}`"),
        "the name of a property",
    )
}

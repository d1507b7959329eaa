// Made by `cargo xtask codegen` from crates/wide/api/wide.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! Creates the call of each operation. Each value is encoded by itself, so it cannot escape
//! its place.

use http::HeaderName;
use vouchsafe_core::{Result, Secret};
use vouchsafe_core::call::{Call, Form, limits};
use vouchsafe_core::url::Target;

use super::{operations, wire};

/// The values of `listThings`.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListThingsParams {
    /// Any of these.
    pub(crate) tag: Vec<String>,
    /// The parameter `colour`.
    pub(crate) colour: Vec<wire::Colour>,
    /// The parameter `limit`.
    pub(crate) limit: Option<i64>,
    /// The parameter `deep`.
    pub(crate) deep: Option<bool>,
    /// The parameter `sort-by`.
    pub(crate) order: Option<wire::ListThingsOrder>,
    /// The parameter `target`.
    pub(crate) target_: Option<String>,
    /// The parameter `page`.
    pub(crate) page: Option<String>,
    /// The parameter `X-Trace`.
    pub(crate) x_trace: Option<String>,
}

/// Things, by page.
pub(crate) fn list_things(
    owner: &str,
    x_tenant: &str,
    params: &ListThingsParams,
) -> Result<Call> {
    let check = || -> Result<()> {
        for value in &params.colour {
            limits::without("colour", value.as_str(), ",")?;
        }
        if let Some(value) = &params.limit {
            limits::integer("limit", *value, Some(1), None)?;
        }
        Ok(())
    };
    check().map_err(|fault| fault.with_operation(operations::LIST_THINGS.id()))?;
    let target = Target::new("/things");
    let target = target.query("owner", owner);
    let target = params
        .tag
        .iter()
        .fold(target, |target, value| target.query("tag", value));
    let target = if params.colour.is_empty() {
        target
    } else {
        target
            .query(
                "colour",
                &params
                    .colour
                    .iter()
                    .map(|value| value.as_str().to_owned())
                    .collect::<Vec<_>>()
                    .join(","),
            )
    };
    let target = target
        .query_opt("limit", params.limit.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("deep", params.deep.map(|value| value.to_string()).as_deref());
    let target = target
        .query_opt("sort-by", params.order.as_ref().map(|value| value.as_str()));
    let target = target.query_opt("target", params.target_.as_deref());
    let target = target.query_opt("page", params.page.as_deref());
    let call = Call::new(&operations::LIST_THINGS, target);
    let call = call.header(HeaderName::from_static("x-tenant"), x_tenant)?;
    let call = match &params.x_trace {
        Some(value) => call.header(HeaderName::from_static("x-trace"), value)?,
        None => call,
    };
    Ok(call)
}

/// Make a thing.
///
/// The name must be free \[within the tenant\], and \<not\> empty.
pub(crate) fn create_thing(body: &wire::NewThing) -> Result<Call> {
    let target = Target::new("/things");
    Call::new(&operations::CREATE_THING, target).json(body)
}

/// Write a note.
pub(crate) fn put_note(
    thing_id: i64,
    name: &str,
    body: Option<&wire::Note>,
) -> Result<Call> {
    let target = Target::new("/things/")
        .segment("thing_id", &thing_id.to_string())?
        .literal("/notes/")
        .segment("name", name)?;
    let call = Call::new(&operations::PUT_NOTE, target);
    match body {
        Some(body) => call.json(body),
        None => Ok(call),
    }
}

/// Revoke a key.
pub(crate) fn revoke_key(key: &Secret) -> Result<Call> {
    let target = Target::new("/keys/").segment("key", key.expose())?;
    Ok(Call::new(&operations::REVOKE_KEY, target).hide(key))
}

/// Exchange a password for a key.
pub(crate) fn log_in(body: &wire::Login) -> Result<Call> {
    let target = Target::new("/login");
    Call::new(&operations::LOG_IN, target).secret_json(body)
}

/// Send a form.
pub(crate) fn send_form(body: &wire::Grant) -> Result<Call> {
    let target = Target::new("/form");
    let form = Form::new()
        .field("id", &body.id.to_string())
        .field("grant_type", &body.grant_type)
        .secret("client_secret", &body.client_secret)
        .secret_opt("code", body.code.as_ref())
        .fields("scope", body.scope.iter())
        .fields("sizes", body.sizes.iter().flatten().map(|value| value.as_str()))
        .field("colour", body.colour.as_str())
        .field_opt("size", body.size.as_ref().map(|value| value.as_str()))
        .field_opt("state", body.state.as_deref())
        .field_opt("age", body.age.map(|value| value.to_string()).as_deref())
        .field("owner", &body.owner.to_string())
        .field("hidden", &body.hidden.to_string());
    Ok(Call::new(&operations::SEND_FORM, target).form(form))
}

/// Send a form with free fields, or none.
pub(crate) fn put_form(
    body: Option<&std::collections::BTreeMap<String, String>>,
) -> Result<Call> {
    let target = Target::new("/form");
    let call = Call::new(&operations::PUT_FORM, target);
    match body {
        Some(body) => {
            let form = body
                .iter()
                .fold(Form::new(), |form, (name, value)| form.field(name, value));
            Ok(call.form(form))
        }
        None => Ok(call),
    }
}

/// Trade one thing for another.
///
/// Served at `https://login.example.com`. Not all servers have it: 2+. Needs the access
/// `wide.token.{thing}`.
pub(crate) fn get_token(body: &wire::Trade) -> Result<Call> {
    let target = Target::new("/token");
    let form = match body {
        wire::Trade::Code(body) => {
            Form::new()
                .secret("code", &body.code)
                .fields("numbers", body.numbers.iter().map(|value| value.to_string()))
        }
        wire::Trade::Refresh(body) => {
            Form::new().secret("refresh_token", &body.refresh_token)
        }
    };
    Ok(Call::new(&operations::GET_TOKEN, target).form(form))
}

/// Send a file.
///
/// The body (application/octet-stream) is added by hand.
pub(crate) fn upload() -> Result<Call> {
    let target = Target::new("/upload");
    Ok(Call::new(&operations::UPLOAD, target))
}

/// The values of `getDocument`.
#[derive(Clone, Debug, Default)]
pub(crate) struct GetDocumentParams {
    /// The parameter `If-None-Match`.
    pub(crate) if_none_match: Option<String>,
    /// The parameter `X-More`.
    pub(crate) x_more: Option<Secret>,
    /// The parameter `owner`.
    pub(crate) owner: Option<u64>,
}

/// A document that may be known.
pub(crate) fn get_document(
    x_ticket: &Secret,
    params: &GetDocumentParams,
) -> Result<Call> {
    let target = Target::new("/document");
    let target = target
        .query_opt("owner", params.owner.map(|value| value.to_string()).as_deref());
    let call = Call::new(&operations::GET_DOCUMENT, target);
    let call = match &params.if_none_match {
        Some(value) => call.header(HeaderName::from_static("if-none-match"), value)?,
        None => call,
    };
    let call = call.secret_header(HeaderName::from_static("x-ticket"), x_ticket)?;
    let call = match &params.x_more {
        Some(value) => call.secret_header(HeaderName::from_static("x-more"), value)?,
        None => call,
    };
    Ok(call)
}

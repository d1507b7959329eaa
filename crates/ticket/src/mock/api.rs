//! tvm-api and tirole (protocol sections 11.2, 13.1 and 16.4).

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use vouchsafe_core::mock::form::{Fields, header};
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::{Request, Response};

use super::answer::{is_known, with_header};
use super::world::World;
use crate::client::protocol::Seconds;
use crate::engine::check::ServiceContext;
use crate::engine::container::KeyContainer;
use crate::engine::ids::TvmId;
use crate::engine::roles::Roles;
use crate::engine::secret::ServiceSecret;
use crate::generated::tirole::routes as tirole;
use crate::generated::tvm_api::routes as tvm_api;

/// Answers for tvm-api.
pub(super) fn answer(world: &World, op: tvm_api::Op, request: &Request, now: Seconds) -> Response {
    match op {
        tvm_api::Op::GetKeys => keys(world),
        tvm_api::Op::GetTickets | tvm_api::Op::GetTicketsWithSlash => tickets(world, request, now),
    }
}

/// Answers for tirole.
pub(super) fn tirole(world: &World, op: tirole::Op, request: &Request, now: Seconds) -> Response {
    match op {
        tirole::Op::GetActualRoles => roles(world, request, now),
    }
}

fn keys(world: &World) -> Response {
    with_settings(world, respond::plain(200, world.authority.container_text()))
}

fn tickets(world: &World, request: &Request, now: Seconds) -> Response {
    let refuse = |what: &str| respond::json(400, &json!({"error": what}));
    let Ok(form) = std::str::from_utf8(&request.body) else {
        return refuse("the form is no text");
    };
    let form = Fields::parse(form.as_bytes());
    let field = |name: &str| form.first(name).unwrap_or_default();
    if field("grant_type") != "client_credentials" {
        return refuse("grant_type is not supported");
    }
    let src = field("src").parse().ok();
    let names: Vec<_> = src.map_or_else(Vec::new, |id| world.services_with(id).collect());
    let Some(src) = src.filter(|_| !names.is_empty()) else {
        return refuse("src is unknown");
    };
    if field("ts").parse::<i64>().is_err() {
        return refuse("ts is no number");
    }
    let sign = vouchsafe_core::Secret::from(field("sign"));
    let is_right = |secret: ServiceSecret| {
        secret.sign_params(field("ts"), field("dst"), field("scopes")) == sign
    };
    if !names
        .into_iter()
        .filter_map(World::parsed_secret)
        .any(is_right)
    {
        return refuse("sign is wrong");
    }
    let ids: Result<Vec<TvmId>, _> = field("dst").split(',').map(str::parse).collect();
    let Ok(ids) = ids else {
        return refuse("dst is no list of numbers");
    };
    let mut answer = Map::new();
    for dst in ids {
        let entry = match world.ticket(src, dst, now) {
            Ok(ticket) => json!({"ticket": ticket.expose()}),
            Err(why) => json!({"error": why}),
        };
        answer.insert(dst.to_string(), entry);
    }
    with_settings(world, respond::json(200, &Value::Object(answer)))
}

fn roles(world: &World, request: &Request, now: Seconds) -> Response {
    // The real text for an invalid ticket is unknown; clients only keep it.
    let Some(ticket) = header(request, "x-ya-service-ticket") else {
        return respond::plain(401, "service ticket is missing");
    };
    let keys = KeyContainer::parse(&world.authority.container_text());
    let context = keys.and_then(|keys| ServiceContext::new(world.tirole_id, &keys));
    let now = UNIX_EPOCH + Duration::from_secs(now.unsigned_abs());
    match context.map(|context| context.check(ticket, now).err()) {
        Ok(None) => {}
        Ok(Some(error)) => {
            return respond::plain(401, error.status().map_or("", crate::TicketStatus::message));
        }
        Err(error) => return respond::plain(500, error.to_string()),
    }
    let query = Fields::of_query(request);
    let Some(slug) = query.first("system_slug") else {
        return respond::plain(400, "missing parameter 'system_slug'");
    };
    let Some(document) = world.roles.get(slug) else {
        return respond::plain(404, "system_slug is unknown");
    };
    let response = roles_answer(document, request);
    if world.gzip_roles && response.status == 200 {
        return gzipped(document);
    }
    response
}

/// The document, unless the client has this revision.
pub(super) fn roles_answer(document: &str, request: &Request) -> Response {
    let roles = Roles::parse(document, UNIX_EPOCH);
    if roles.is_ok_and(|roles| is_known(request, roles.revision())) {
        return respond::typed(304, "application/json", "");
    }
    respond::typed(200, "application/json", document.to_owned())
}

#[cfg(feature = "gzip")]
fn gzipped(document: &str) -> Response {
    use std::io::Write as _;

    use sha2::{Digest as _, Sha256};
    use vouchsafe_core::text::hex;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let packed = encoder
        .write_all(document.as_bytes())
        .and_then(|()| encoder.finish());
    let Ok(packed) = packed else {
        return respond::plain(500, "the document cannot be packed");
    };
    let digest = hex(&Sha256::digest(document.as_bytes()));
    let header = format!("1:gzip:{}:{digest}", document.len());
    let response = respond::typed(200, "application/octet-stream", packed);
    with_header(response, "x-tirole-compression", &header)
}

#[cfg(not(feature = "gzip"))]
fn gzipped(_document: &str) -> Response {
    respond::plain(501, "this emulator was built without the feature gzip")
}

fn with_settings(world: &World, response: Response) -> Response {
    match &world.retry_settings {
        Some(settings) => with_header(response, "x-ya-retry-settings", &settings.to_header()),
        None => response,
    }
}

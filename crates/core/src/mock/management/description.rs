//! The OpenAPI description of the management API.

use serde_json::{Map, Value, json};

use super::PREFIX;
use crate::mock::{Action, Host};

/// Describes the management API of some services.
pub(super) fn of(hosts: &[(String, Host)]) -> Value {
    let mut paths = Map::new();
    for (name, host) in hosts {
        let under = format!("{PREFIX}/{name}");
        for (what, methods) in common(name, host) {
            let path = format!("{under}/{what}");
            paths.insert(path.trim_end_matches('/').to_owned(), methods);
        }
        for action in host.handler().actions() {
            let path = format!("{under}/{}", action.name());
            paths.insert(path, json!({ "post": described(name, action) }));
        }
    }
    let services: Vec<_> = hosts.iter().map(|(name, _)| name).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Management of emulators",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sets up and watches emulated services. Each path but those of actions \
                also exists without the service, for all services at once; its answer is then an \
                object by their names.",
        },
        "x-services": services,
        "paths": paths,
        "components": {"schemas": schemas()},
    })
}

/// The paths that every service has.
fn common(name: &str, host: &Host) -> [(&'static str, Value); 7] {
    let operation = host.operations().first().map(|operation| operation.id());
    let fault = json!({"operation": operation, "times": 1, "status": 503, "retry_after_s": 1});
    let call = |id: &str, summary: &str, answer: Value| {
        json!({
            "operationId": format!("{name}.{id}"),
            "tags": [name],
            "summary": summary,
            "responses": {"200": json_content("Done", &answer), "default": refusal()},
        })
    };
    let nothing = || json!({"type": "object", "maxProperties": 0});
    let with = |mut call: Value, schema: &str, example: Value| {
        call["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": reference(schema), "example": example}},
        });
        call
    };
    [
        (
            "journal",
            json!({
                "get": call("journal", "Returns the received requests.", reference("Journal")),
                "delete": call("clearJournal", "Clears the journal.", nothing()),
            }),
        ),
        (
            "operations",
            json!({"get": call("operations", "Returns the ids that faults can name.", reference("Operations"))}),
        ),
        (
            "faults",
            json!({
                "get": call("faults", "Returns the faults and their counts.", reference("Faults")),
                "post": with(
                    call("addFault", "Adds a fault. One for an operation that does not exist is \
                        refused with the nearest names.", nothing()),
                    "Fault",
                    fault,
                ),
                "delete": call("clearFaults", "Removes all faults.", nothing()),
            }),
        ),
        (
            "clock",
            json!({
                "get": call("clock", "Returns the service's time.", reference("Clock")),
                "post": with(
                    call("turnClock", "Sets the service's clock.", reference("Clock")),
                    "Turn",
                    json!({"advance_ms": 60_000}),
                ),
            }),
        ),
        (
            "reset",
            json!({"post": call("reset", "Puts service and clock back to their start, and clears \
                journal and faults.", nothing())}),
        ),
        (
            "snapshot",
            json!({"get": call("snapshot", "Returns the service's state, without secrets.",
                json!({"type": ["object", "null"]}))}),
        ),
        (
            "",
            json!({"get": call("description", "Returns this description.", json!({"type": "object"}))}),
        ),
    ]
}

fn described(name: &str, action: &Action) -> Value {
    let (body, answer) = action.examples();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (field, meaning, is_required) in action.fields() {
        let mut schema = like(&body[field]);
        schema["description"] = meaning.into();
        properties.insert(field.to_owned(), schema);
        if is_required {
            required.push(field);
        }
    }
    json!({
        "operationId": format!("{name}.{}", action.name()),
        "tags": [name],
        "summary": action.summary(),
        "requestBody": {"required": true, "content": {"application/json": {
            "schema": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            },
            "example": body,
        }}},
        "responses": {
            "200": {"description": "Done", "content": {"application/json": {
                "schema": like(&answer), "example": answer,
            }}},
            "default": refusal(),
        },
    })
}

/// Derives a schema from an example; without an example, any value is valid.
fn like(example: &Value) -> Value {
    match example {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number"}),
        Value::Number(_) => json!({"type": "integer"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            json!({"type": "array", "items": items.first().map_or(json!({}), like)})
        }
        Value::Object(_) => json!({"type": "object"}),
    }
}

fn refusal() -> Value {
    json_content("The fault in the request", &reference("Refusal"))
}

fn json_content(description: &str, schema: &Value) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn schemas() -> Value {
    serde_json::from_str(include_str!("schemas.json")).unwrap_or_default()
}

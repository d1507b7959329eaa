//! Methods of authentication, LDAP and SAML (protocol sections 9.12 to 9.15).

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION};
use serde_json::{Map, Value, json};
use vouchsafe_core::mock::form::{Fields, escaped};
use vouchsafe_core::mock::respond;

use super::ask::{Ask, listed};
use super::data::{SamlConfig, SamlLogin};
use super::multipart;
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::{Body, Fault, Text, Wrong, uuid};

pub(super) fn list(state: &State, ask: &Ask<'_>) -> Outcome {
    ask.tenant(state)?;
    let items: Vec<Value> = state
        .settings
        .methods()
        .into_iter()
        .map(Value::from)
        .collect();
    Ok(respond::json(200, &listed(items.len(), items.len(), items)))
}

fn check(state: &State, kind: &str) -> Outcome<()> {
    if state.settings.methods().contains(&kind) {
        return Ok(());
    }
    let message = format!("No such IDP type: \"{kind}\"");
    Err(Refusal::object(
        404,
        "unknown-idp-type",
        "idp",
        message,
        json!({ "idp_type": kind }),
    ))
}

pub(super) fn change_user(state: &mut State, ask: &Ask<'_>, is_added: bool) -> Outcome {
    let kind = ask.param(0).to_owned();
    check(state, &kind)?;
    let tenant = ask.tenant(state)?;
    let user = state.visible_user(ask.param(1), &tenant)?.uuid.clone();
    if let Some(user) = state.data.users.get_mut(&user) {
        if is_added {
            user.method = kind;
        } else if user.method == kind {
            "default".clone_into(&mut user.method);
        }
    }
    Ok(respond::empty(204))
}

pub(super) fn add_users(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let kind = ask.param(0).to_owned();
    check(state, &kind)?;
    let tree = |wrong: &Wrong| Refusal::invalid_list(json!({"users": wrong.in_tree()}));
    let body = Body::read(ask.request)?;
    let body =
        body.map_err(|_| Refusal::invalid_list(json!({"_schema": ["Invalid input type."]})))?;
    let items = match body.get("users") {
        None => return Err(tree(&Wrong::Missing)),
        Some(Value::Null) => return Err(tree(&Wrong::Null)),
        Some(Value::Array(items)) => items.clone(),
        Some(_) => return Err(tree(&Wrong::Type("dict"))),
    };
    let mut users = Vec::new();
    let mut faults = Map::new();
    for (at, item) in items.iter().enumerate() {
        let wrong = match item.get("uuid") {
            None if item.is_object() => Wrong::Missing,
            Some(Value::Null) => Wrong::Null,
            Some(Value::String(text)) => match uuid(text) {
                Some(uuid) => {
                    users.push(uuid);
                    continue;
                }
                None => Wrong::Type("uuid"),
            },
            _ => Wrong::Type("uuid"),
        };
        faults.insert(at.to_string(), json!({"uuid": wrong.in_tree()}));
    }
    if !faults.is_empty() {
        return Err(Refusal::invalid_list(json!({ "users": faults })));
    }
    let tenant = ask.tenant(state)?;
    // Users before an unknown one stay changed.
    for user in users {
        let user = state.visible_user(&user, &tenant)?.uuid.clone();
        if let Some(user) = state.data.users.get_mut(&user) {
            user.method.clone_from(&kind);
        }
    }
    Ok(respond::empty(204))
}

const LDAP: [&str; 10] = [
    "tenant_uuid",
    "host",
    "port",
    "protocol_version",
    "protocol_security",
    "bind_dn",
    "user_base_dn",
    "user_login_attribute",
    "user_email_attribute",
    "search_filters",
];

fn ldap_json(config: Option<&Map<String, Value>>) -> Value {
    let member = |&name: &&str| {
        let value = config.and_then(|config| config.get(name));
        (name.to_owned(), value.cloned().unwrap_or_default())
    };
    LDAP.iter().map(member).collect::<Map<_, _>>().into()
}

pub(super) fn get_ldap(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    Ok(respond::json(200, &ldap_json(state.data.ldap.get(&tenant))))
}

fn ldap(body: &Body) -> Result<Map<String, Value>, Fault> {
    let required = |name: &str, longest| {
        let text = body.text(name, &Text::required().length(0, longest))?;
        Ok::<(String, Value), Fault>((name.to_owned(), text.into()))
    };
    // Null overwrites what is there, and what is absent leaves it.
    let optional = |name: &str, rule: &Text| {
        let text = body.text(name, rule)?;
        let is_given = body.get(name).is_some();
        Ok::<_, Fault>(is_given.then(|| (name.to_owned(), text.into())))
    };
    // In the order of the schema: the first fault is the one that is named.
    let host = required("host", 512)?;
    let port = body.integer("port", i64::MIN, None)?;
    let port = port.ok_or_else(|| ("port".to_owned(), Wrong::Missing))?;
    let version = body.integer("protocol_version", 2, Some(3))?;
    let security = Text::optional().one_of(&["ldaps", "tls"]);
    let mut given = vec![
        Some(host),
        Some(("port".to_owned(), port.into())),
        Some(("protocol_version".to_owned(), version.unwrap_or(3).into())),
        optional("protocol_security", &security)?,
        optional("bind_dn", &Text::optional().length(0, 256))?,
        optional("bind_password", &Text::optional())?,
    ];
    for (name, longest) in [
        ("user_base_dn", 256),
        ("user_login_attribute", 64),
        ("user_email_attribute", 64),
    ] {
        given.push(Some(required(name, longest)?));
    }
    given.push(optional("search_filters", &Text::optional())?);
    Ok(given.into_iter().flatten().collect())
}

pub(super) fn update_ldap(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let refuse = |(member, _): Fault| {
        Refusal::reasons(400, format!("Invalid value supplied for field: {member}"))
    };
    let body = Body::read(ask.request)?;
    let body = body.map_err(|wrong| refuse(("_schema".to_owned(), wrong)))?;
    let given = ldap(&body).map_err(refuse)?;
    let tenant = ask.tenant(state)?;
    let config = state.data.ldap.entry(tenant.clone()).or_default();
    config.extend(given);
    config.insert("tenant_uuid".to_owned(), tenant.into());
    Ok(respond::json(200, &ldap_json(Some(config))))
}

pub(super) fn delete_ldap(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    state.data.ldap.remove(&tenant);
    Ok(respond::empty(204))
}

fn no_saml(tenant: &str) -> Refusal {
    let message = format!("No SAML IDP config found for this tenant: \"{tenant}\"");
    saml_refusal(404, &message, tenant)
}

fn saml_refusal(status: u16, message: &str, tenant: &str) -> Refusal {
    let details = json!({ "uuid": tenant });
    Refusal::object(
        status,
        "unknown-saml-config",
        "saml_config",
        message,
        details,
    )
}

fn saml_json(config: &SamlConfig, tenant: &str) -> Value {
    json!({
        "domain_uuid": config.domain,
        "entity_id": config.entity_id,
        "tenant_uuid": tenant,
        "acs_url": config.acs_url,
    })
}

/// Reads the fields of a form, and checks those that are present.
fn saml_fields(ask: &Ask<'_>, is_whole: bool) -> Outcome<Vec<(&'static str, multipart::Part)>> {
    let parts = multipart::read(ask.request).ok_or_else(Refusal::unreadable)?;
    let mut fields = Vec::new();
    for (name, shortest, longest) in [
        ("domain_uuid", 36, 38),
        ("entity_id", 1, 512),
        ("acs_url", 1, 512),
    ] {
        let found = parts.iter().find(|part| part.name == name && !part.is_file);
        let wrong = match found {
            None if is_whole => Wrong::Missing,
            None => continue,
            Some(part) => {
                let text = String::from_utf8_lossy(&part.content).into_owned();
                match Text::required()
                    .length(shortest, longest)
                    .read(&text.into())
                {
                    Ok(_) => {
                        fields.push((name, part.clone()));
                        continue;
                    }
                    Err(wrong) => wrong,
                }
            }
        };
        let details = json!({ name: wrong.json() });
        return Err(Refusal::object(
            400,
            "invalid-list-param",
            "users",
            wrong.message(),
            details,
        ));
    }
    if let Some(part) = parts
        .iter()
        .find(|part| part.name == "metadata" && part.is_file)
    {
        fields.push(("metadata", part.clone()));
    }
    Ok(fields)
}

fn check_saml(
    state: &State,
    fields: &[(&'static str, multipart::Part)],
    tenant: &str,
) -> Outcome<()> {
    for (name, part) in fields {
        let text = String::from_utf8_lossy(&part.content);
        if *name == "domain_uuid" {
            let domains = state
                .data
                .tenants
                .get(tenant)
                .map(|tenant| tenant.domains.as_slice());
            if !domains
                .unwrap_or_default()
                .iter()
                .any(|domain| domain.uuid == text)
            {
                return Err(saml_refusal(400, "Domain not found", tenant));
            }
        }
        if *name == "metadata" && !text.contains("EntityDescriptor") {
            return Err(saml_refusal(400, "Failed to parse metadata", tenant));
        }
    }
    Ok(())
}

fn fill(config: &mut SamlConfig, fields: Vec<(&'static str, multipart::Part)>) {
    for (name, part) in fields {
        let text = String::from_utf8_lossy(&part.content).into_owned();
        match name {
            "domain_uuid" => config.domain = text,
            "entity_id" => config.entity_id = text,
            "acs_url" => config.acs_url = text,
            _ => config.metadata = part.content,
        }
    }
}

pub(super) fn get_saml(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let config = state
        .data
        .saml
        .get(&tenant)
        .ok_or_else(|| no_saml(&tenant))?;
    Ok(respond::json(200, &saml_json(config, &tenant)))
}

pub(super) fn create_saml(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let fields = saml_fields(ask, true)?;
    let tenant = ask.tenant(state)?;
    if !fields.iter().any(|(name, _)| *name == "metadata") {
        return Err(saml_refusal(400, "Missing metadata file", &tenant));
    }
    check_saml(state, &fields, &tenant)?;
    if state.data.saml.contains_key(&tenant) {
        let details = json!({"tenant_uuid": {
            "constraint_id": "unique",
            "message": "Duplicated SAML config exists",
        }});
        return Err(Refusal::conflict("saml_config", details));
    }
    let mut config = SamlConfig {
        domain: String::new(),
        entity_id: String::new(),
        acs_url: String::new(),
        metadata: Vec::new(),
    };
    fill(&mut config, fields);
    let body = saml_json(&config, &tenant);
    state.data.saml.insert(tenant, config);
    Ok(respond::json(200, &body))
}

pub(super) fn update_saml(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let fields = saml_fields(ask, false)?;
    let tenant = ask.tenant(state)?;
    check_saml(state, &fields, &tenant)?;
    let config = state
        .data
        .saml
        .get_mut(&tenant)
        .ok_or_else(|| no_saml(&tenant))?;
    fill(config, fields);
    Ok(respond::json(200, &json!({})))
}

pub(super) fn delete_saml(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    state.data.saml.remove(&tenant);
    Ok(respond::empty(204))
}

pub(super) fn get_acs_template() -> Outcome {
    let url = "https://{{STACK_URL}}/api/auth/0.1/saml/acs";
    Ok(respond::json(200, &json!({ "acs_url": url })))
}

pub(super) fn get_saml_metadata(state: &State, ask: &Ask<'_>) -> Outcome {
    let tenant = ask.tenant(state)?;
    let config = state
        .data
        .saml
        .get(&tenant)
        .ok_or_else(|| no_saml(&tenant))?;
    let mut response = respond::typed(200, "application/xml", config.metadata.clone());
    respond::put(&mut response.headers, CONTENT_DISPOSITION, "attachment");
    Ok(response)
}

pub(super) fn start_saml(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let wrong = |name: &str| Refusal::object(400, "invalid-data", "saml", name, json!({}));
    let body = Body::read(ask.request)?.map_err(|_| wrong("_schema"))?;
    let member = |name: &str| body.get(name).and_then(Value::as_str);
    let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    let is_domain = |text: &str| text.contains('.');
    if body.get("domain").is_none() && body.get("redirect_url").is_none() {
        return Err(Refusal::broken());
    }
    let domain = member("domain")
        .filter(|text| is_domain(text))
        .ok_or_else(|| wrong("domain"))?;
    let redirect_url = member("redirect_url").filter(|text| is_url(text));
    let redirect_url = redirect_url
        .ok_or_else(|| wrong("redirect_url"))?
        .to_owned();
    let named = |config: &&SamlConfig| {
        let mut domains = state
            .data
            .tenants
            .values()
            .flat_map(|tenant| &tenant.domains);
        domains.any(|known| known.name == domain && known.uuid == config.domain)
    };
    if !state.data.saml.values().any(|config| named(&config)) {
        let message = "SAML client for domain not found or failed";
        let details = json!({ "domain": domain });
        return Err(Refusal::object(
            500,
            "configuration-error",
            "saml",
            message,
            details,
        ));
    }
    let (session, relay_state, request) = (state.uuid(), state.uuid(), state.uuid());
    let location = format!(
        "https://idp.example.com/sso?SAMLRequest={}&RelayState={}",
        escaped(&request),
        escaped(&relay_state)
    );
    let login = SamlLogin {
        redirect_url,
        relay_state,
        login: None,
    };
    state.data.saml_logins.insert(session.clone(), login);
    Ok(respond::json(
        200,
        &json!({"location": location, "saml_session_id": session}),
    ))
}

fn processing(status: u16) -> Refusal {
    let details = json!({"error": "Context not found"});
    Refusal::object(
        status,
        "processing-error",
        "saml",
        "SAML processing failed",
        details,
    )
}

/// Accepts the answer of the identity provider. No signature is checked: an answer is valid if it
/// is the `login:` of a user, which no real provider sends.
pub(super) fn finish_saml(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let form = Fields::parse(&ask.request.body);
    let (Some(relay), Some(answer)) = (form.first("RelayState"), form.first("SAMLResponse")) else {
        let message = "RelayState and/or SAMLResponse";
        return Err(Refusal::object(
            400,
            "invalid-data",
            "saml",
            message,
            json!({}),
        ));
    };
    let mut logins = state.data.saml_logins.values_mut();
    let login = logins
        .find(|login| login.relay_state == relay)
        .ok_or_else(|| processing(404))?;
    let location = match answer.strip_prefix("login:") {
        Some(name) => {
            login.login = Some(name.to_owned());
            login.redirect_url.clone()
        }
        None => format!("{}?login_failure_code=500", login.redirect_url),
    };
    let mut response = respond::plain(302, "<!doctype html>\n<title>Redirecting...</title>\n");
    respond::put(
        &mut response.headers,
        CONTENT_TYPE,
        "text/html; charset=utf-8",
    );
    respond::put(&mut response.headers, LOCATION, &location);
    Ok(response)
}

pub(super) fn end_saml(state: &mut State, ask: &Ask<'_>) -> Outcome {
    let token = state
        .token(ask.token(), ask.now())
        .ok_or_else(Refusal::no_such_token)?;
    if !token.saml {
        return Err(processing(404));
    }
    let token = token.token.clone();
    state.data.tokens.remove(&token);
    let location = format!("https://idp.example.com/slo?SAMLRequest={}", state.uuid());
    Ok(respond::json(200, &json!({ "location": location })))
}

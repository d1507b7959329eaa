//! The pages for users: the authorization page (RFC 6749, 4.1), and the one for devices (RFC 8628,
//! 3.3).

use std::net::Ipv6Addr;
use std::time::SystemTime;

use http::header::LOCATION;
use http::{Method, Uri};
use vouchsafe_core::mock::form::{Fields, escaped};
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::{Request, Response};

use super::data::{Client, Code, Decision};
use super::params::Params;
use super::refusal::{Outcome, Refusal, uncached};
use super::settings::Consent;
use super::state::{State, random};
use super::token::narrowed;

impl State {
    /// Answers a user who was sent to log in, or has decided on the page.
    pub(super) fn authorize(&mut self, request: &Request, now: SystemTime) -> Response {
        let params = match page_params(request) {
            Ok(params) => params,
            Err(refusal) => return page(400, &text(&refusal)),
        };
        // If the client or the redirect URI is wrong, the user must not be redirected (4.1.2.1).
        let client = params.get("client_id").and_then(|id| self.clients.get(id));
        let Some(client) = client.cloned() else {
            return page(400, "<p>There is no such client.</p>");
        };
        let Some(target) = redirect_uri(&client, params.get("redirect_uri")) else {
            return page(400, "<p>The redirect URI is not one of the client's.</p>");
        };
        let answer = match self.agreed(&client, &params, request.method == Method::POST, now) {
            Ok(Some(code)) => vec![("code", code)],
            Ok(None) => return page(200, &form(&params)),
            Err(Refusal {
                code, description, ..
            }) => vec![
                ("error", code.to_owned()),
                ("error_description", description.to_owned()),
            ],
        };
        let issuer = self.settings.sends_issuer.then(|| self.issuer(request));
        let mut url = target.to_owned();
        let state = params.get("state").map(|state| ("state", state));
        let issuer = issuer.as_deref().map(|issuer| ("iss", issuer));
        let answer = answer.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in answer.chain(state).chain(issuer) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url += &format!("{name}={}", escaped(value));
        }
        let mut response = uncached(respond::empty(302));
        respond::put(&mut response.headers, LOCATION, &url);
        response
    }

    /// Returns a code if the user agrees, and `None` if the page must ask.
    fn agreed(
        &mut self,
        client: &Client,
        params: &Params,
        is_answer: bool,
        now: SystemTime,
    ) -> Outcome<Option<String>> {
        if params.get("response_type") != Some("code") {
            return Err(Refusal::new(
                "unsupported_response_type",
                "the response type is not code",
            ));
        }
        let challenge = params.get("code_challenge");
        let is_digest = |challenge: &str| challenge.len() == 43;
        match (challenge, params.get("code_challenge_method")) {
            (None, _) if self.settings.is_pkce_required => {
                return Err(Refusal::invalid_request("there is no code_challenge"));
            }
            (None, _) => {}
            (Some(challenge), Some("S256")) if is_digest(challenge) => {}
            (Some(_), _) => {
                return Err(Refusal::invalid_request(
                    "the code_challenge is not one of S256",
                ));
            }
        }
        let scopes = narrowed(&client.scopes, params)?;
        let decided = params.get("decision").filter(|_| is_answer);
        match (decided, self.settings.consent) {
            (Some("allow"), _) | (None, Consent::Grants) => {}
            (None, Consent::Asks) => return Ok(None),
            _ => return Err(Refusal::new("access_denied", "the user refused")),
        }
        let code = random().expose().to_owned();
        self.codes.insert(
            code.clone(),
            Code {
                client: client.id.clone(),
                redirect_uri: params.get("redirect_uri").map(str::to_owned),
                challenge: challenge.map(str::to_owned),
                scopes,
                expires: now.checked_add(self.settings.code_lifetime).unwrap_or(now),
                grant: None,
            },
        );
        Ok(Some(code))
    }

    /// Answers a user who has a device's code, or has decided on the page.
    pub(super) fn verify_device(&mut self, request: &Request, now: SystemTime) -> Response {
        let params = match page_params(request) {
            Ok(params) => params,
            Err(refusal) => return page(400, &text(&refusal)),
        };
        let Some(user_code) = params.get("user_code") else {
            return page(200, "<form method=post><input name=user_code></form>");
        };
        let decided = params
            .get("decision")
            .filter(|_| request.method == Method::POST);
        let decision = match (decided, self.settings.consent) {
            (Some("allow"), _) | (None, Consent::Grants) => Decision::Allow,
            (None, Consent::Asks) => return page(200, &form(&params)),
            _ => Decision::Deny,
        };
        match self.decide_device(Some(user_code), decision, now) {
            0 => page(404, "<p>There is no such code, or it was used.</p>"),
            _ => page(200, "<p>Done. You may close this page.</p>"),
        }
    }
}

/// Returns the redirect URI: a given one of the client's, or its only one. The client may choose
/// the port of a loopback address (RFC 8252, 7.3).
fn redirect_uri<'u>(client: &'u Client, wanted: Option<&'u str>) -> Option<&'u str> {
    let Some(wanted) = wanted else {
        return match &*client.redirect_uris {
            [only] => Some(only),
            _ => None,
        };
    };
    let is_known = |known: &String| {
        known == wanted
            || without_port(known).is_some_and(|bare| Some(bare) == without_port(wanted))
    };
    client
        .redirect_uris
        .iter()
        .any(is_known)
        .then_some(wanted)
        .filter(|wanted| !wanted.contains('#'))
}

/// Returns host, path and query of a URL of a loopback address.
fn without_port(url: &str) -> Option<(String, String)> {
    let url: Uri = url.parse().ok()?;
    let host = url.host()?;
    let is_loopback = match host.trim_matches(['[', ']']) {
        "127.0.0.1" => true,
        other => other.parse() == Ok(Ipv6Addr::LOCALHOST),
    };
    let rest = url.path_and_query()?.to_string();
    (is_loopback && url.scheme_str() == Some("http")).then(|| (host.to_owned(), rest))
}

fn page_params(request: &Request) -> Outcome<Params> {
    match request.method {
        Method::POST => Params::of_body(request),
        _ => Params::of_fields(&Fields::of_query(request)),
    }
}

fn text(refusal: &Refusal) -> String {
    format!("<p>{}</p>", refusal.description)
}

/// The form that asks a user, with all values of the request.
fn form(params: &Params) -> String {
    let mut form = String::from("<form method=post>\n");
    for (name, value) in params.iter().filter(|(name, _)| *name != "decision") {
        form += &format!(
            "<input type=hidden name=\"{}\" value=\"{}\">\n",
            quoted(name),
            quoted(value)
        );
    }
    form + "<button name=decision value=allow>Allow</button>\n\
            <button name=decision value=deny>Deny</button>\n</form>"
}

fn quoted(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

fn page(status: u16, body: &str) -> Response {
    let text = format!("<!doctype html>\n<html lang=en>\n<title>Log in</title>\n{body}\n");
    uncached(respond::typed(status, "text/html; charset=utf-8", text))
}

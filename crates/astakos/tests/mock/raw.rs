//! Requests as they may come from anywhere: each endpoint with each kind of credential, method and
//! body.

use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Uri};
use serde_json::{Value, json};
use vouchsafe_astakos::mock::Server;
use vouchsafe_core::transport::{Request, Response};

/// Whose token an endpoint wants.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Caller {
    User,
    Service,
    Open,
}

/// What an endpoint takes for a body.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Takes {
    Nothing,
    /// JSON, whatever it is labelled.
    Json,
    /// JSON that is labelled so; and the status for a list instead of an object.
    Labelled(u16),
    Form,
}

use Caller::{Open, Service, User};
use Takes::{Form, Json, Labelled, Nothing};

const ENDPOINTS: &[(&str, &str, Caller, Takes)] = &[
    ("GET", "resources", Open, Nothing),
    ("GET", "quotas", User, Nothing),
    ("GET", "service_quotas", Service, Nothing),
    ("GET", "service_project_quotas", Service, Nothing),
    ("POST", "user_catalogs", User, Json),
    ("POST", "service/user_catalogs", Service, Json),
    ("POST", "feedback", User, Form),
    ("POST", "myaccount/default_project", User, Labelled(500)),
    ("GET", "commissions", Service, Nothing),
    ("POST", "commissions", Service, Labelled(400)),
    ("POST", "commissions/action", Service, Labelled(400)),
    ("GET", "commissions/1", Service, Nothing),
    ("POST", "commissions/1/action", Service, Labelled(400)),
    ("GET", "projects", User, Nothing),
    ("POST", "projects", User, Labelled(500)),
    ("GET", "projects/PROJECT", User, Nothing),
    ("PUT", "projects/PROJECT", User, Labelled(500)),
    ("POST", "projects/PROJECT/action", User, Labelled(400)),
    ("GET", "projects/memberships", User, Nothing),
    ("POST", "projects/memberships", User, Labelled(400)),
    ("GET", "projects/memberships/1", User, Nothing),
    ("POST", "projects/memberships/1/action", User, Labelled(400)),
];

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

struct Raw(Server);

impl Raw {
    fn new() -> Self {
        Self(Server::new())
    }

    fn token(&self, caller: Caller) -> Vec<u8> {
        let token = match caller {
            Open => return Vec::new(),
            User => self.0.user_token(&Server::alice()),
            Service => self.0.service_token("cyclades"),
        };
        token.unwrap().expose().as_bytes().to_vec()
    }

    fn request(method: &str, path: &str) -> Request {
        let path = path.replace("PROJECT", &Server::project());
        let uri = format!("https://h/astakos/account/v1.0/{path}");
        Request::new(
            method.parse::<Method>().unwrap(),
            uri.parse::<Uri>().unwrap(),
        )
    }

    /// Asks with lines of tokens, a label and a body, and returns the status.
    fn ask(
        &self,
        (method, path): (&str, &str),
        tokens: &[&[u8]],
        label: Option<&str>,
        body: &[u8],
    ) -> Response {
        let mut request = Self::request(method, path);
        for token in tokens {
            let token = HeaderValue::from_bytes(token).unwrap();
            request.headers.append("x-auth-token", token);
        }
        if let Some(label) = label {
            let label = HeaderValue::from_str(label).unwrap();
            request.headers.insert(CONTENT_TYPE, label);
        }
        request.body = body.to_vec().into();
        self.0.handle(&request)
    }
}

/// The one key of a fault, and the code in it.
fn fault(response: &Response) -> (String, Value) {
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    let (name, content) = body.as_object().unwrap().iter().next().unwrap();
    (name.clone(), content["code"].clone())
}

#[test]
fn another_method_is_refused_before_anything_else_is_looked_at() {
    let raw = Raw::new();
    for (_, path, ..) in ENDPOINTS {
        let there: Vec<_> = ENDPOINTS.iter().filter(|row| row.1 == *path).collect();
        let allow: Vec<_> = there.iter().map(|row| row.0).collect();
        for method in METHODS.iter().filter(|method| !allow.contains(method)) {
            for token in [&b""[..], b"odd", b"\xff"] {
                let response = raw.ask((method, path), &[token], None, b"{");
                assert_eq!(response.status, 405, "{method} {path}");
                assert_eq!(response.headers[ALLOW], allow.join(","), "{method} {path}");
                let body_is_empty = response.body.is_empty();
                assert_eq!(body_is_empty, *method == "HEAD", "{method} {path}");
            }
        }
    }
}

#[test]
fn a_credential_is_looked_at_before_the_body() {
    let raw = Raw::new();
    for &(method, path, caller, _) in ENDPOINTS {
        if caller == Open {
            continue;
        }
        let good = raw.token(caller);
        let other = raw.token(if caller == User { Service } else { User });
        let unicode = "t\u{f6}ken".as_bytes();
        for (what, tokens, status) in [
            ("none", &[][..], 401),
            ("empty", &[&b""[..]], 401),
            ("unknown", &[b"odd"], 401),
            ("of the other kind", &[&other], 401),
            ("twice the same", &[&good, &good], 401),
            ("good and empty", &[&good, b""], 401),
            ("not ASCII", &[unicode], 401),
            // Latin-1: the database takes text only.
            ("no text", &[b"t\xf6ken"], 500),
        ] {
            let label = Some("application/json");
            let response = raw.ask((method, path), tokens, label, b"{no JSON");
            assert_eq!(response.status, status, "{method} {path}: {what}");
            let (name, code) = fault(&response);
            let known = [("unauthorized", 401), ("internalServerError", 500)];
            assert!(known.contains(&(name.as_str(), status)), "{name}");
            assert_eq!(code, status);
        }
    }
}

#[test]
fn a_body_must_be_what_its_label_says() {
    let raw = Raw::new();
    let json = Some("application/json");
    let form = Some("application/x-www-form-urlencoded");
    for &(method, path, caller, takes) in ENDPOINTS {
        let good = raw.token(caller);
        let ask = |label, body: &[u8]| raw.ask((method, path), &[&good], label, body).status;
        for (body, status_of_json) in [
            (&b""[..], 400),
            (b"{", 400),
            (b"odd", 400),
            (b"\xff", 400),
            (b"{\"a\": \"\xff\"}", 400),
            (b"\xef\xbb\xbf{}", 400),
            (b"{} {}", 400),
        ] {
            match takes {
                Nothing => {}
                Form => assert_eq!(ask(form, body), 400, "{path}: {body:?}"),
                Json => {
                    assert_eq!(ask(json, body), status_of_json, "{path}: {body:?}");
                    assert_eq!(ask(None, body), status_of_json, "{path}: {body:?}");
                }
                Labelled(_) => {
                    assert_eq!(ask(json, body), status_of_json, "{path}: {body:?}");
                }
            }
        }
        if let Labelled(of_list) = takes {
            for label in [None, form, Some("text/plain"), Some("Application/JSON")] {
                assert_eq!(ask(label, b"{}"), 400, "{path}: {label:?}");
            }
            assert_eq!(ask(json, b"[]"), of_list, "{path}");
            assert_eq!(
                ask(Some("application/json; charset=x"), b"[]"),
                of_list,
                "{path}"
            );
        }
        if takes == Json {
            assert_eq!(ask(None, b"{}"), 200, "{path}");
            assert_eq!(ask(json, b"[]"), 400, "{path}");
        }
    }
}

#[test]
fn members_of_the_wrong_type_get_the_status_that_the_server_gives() {
    let raw = Raw::new();
    let (project, alice) = (Server::project(), Server::alice());
    let carol = raw.0.user_token(&Server::carol()).unwrap();
    let great = "100000000000000000000";
    for (caller, path, body, status) in [
        // An unknown user is not a bad request.
        (
            User,
            "projects/memberships",
            json!({"join": {"project": 7}}),
            404,
        ),
        (
            User,
            "projects/memberships",
            json!({"join": {"project": null}}),
            404,
        ),
        (User, "projects/memberships", json!({"join": {}}), 404),
        (
            User,
            "projects/memberships",
            json!({"join": {"project": []}}),
            500,
        ),
        (User, "projects/memberships", json!({"join": []}), 500),
        (
            User,
            "projects/memberships",
            json!({"enroll": {"project": project}}),
            409,
        ),
        (
            User,
            "projects/memberships",
            json!({"enroll": {"project": project, "user": 7}}),
            409,
        ),
        (
            User,
            "projects/memberships",
            json!({"enroll": {"project": 7, "user": "bob@example.org"}}),
            409,
        ),
        // The address is compared with its case.
        (
            User,
            "projects/memberships",
            json!({"enroll": {"project": project, "user": "Carol@example.org"}}),
            409,
        ),
        (
            User,
            "projects/memberships",
            json!({"enroll": {"project": project, "user": "carol@example.org"}}),
            200,
        ),
        (
            User,
            "projects/memberships",
            json!({"join": {}, "enroll": {}}),
            400,
        ),
        (User, "projects/memberships", json!({}), 400),
        (
            Open,
            "projects/PROJECT/action",
            json!({"approve": {"app_id": null}}),
            404,
        ),
        (
            Open,
            "projects/PROJECT/action",
            json!({"approve": {"app_id": 99}}),
            404,
        ),
        (
            Open,
            "projects/PROJECT/action",
            json!({"approve": {"app_id": "99"}}),
            404,
        ),
        (
            Open,
            "projects/PROJECT/action",
            json!({"approve": {"app_id": 99.5}}),
            404,
        ),
        (
            Open,
            "projects/PROJECT/action",
            json!({"approve": {"app_id": "x"}}),
            500,
        ),
        (
            Open,
            "projects/PROJECT/action",
            json!({"approve": {"app_id": {}}}),
            500,
        ),
        (Open, "projects/PROJECT/action", json!({"approve": {}}), 500),
        (
            Open,
            "projects/PROJECT/action",
            json!({"approve": null}),
            500,
        ),
        (
            Open,
            "projects/PROJECT/action",
            json!({"suspend": "late"}),
            500,
        ),
        (Open, "projects/PROJECT/action", json!({"odd": {}}), 400),
        (
            User,
            "myaccount/default_project",
            json!({"project_id": null}),
            403,
        ),
        (User, "myaccount/default_project", json!({}), 403),
        (
            User,
            "myaccount/default_project",
            json!({"project_id": 7}),
            404,
        ),
        (
            User,
            "myaccount/default_project",
            json!({"project_id": []}),
            500,
        ),
        (User, "user_catalogs", json!({"uuids": 7}), 500),
        (User, "user_catalogs", json!({"uuids": "text"}), 200),
        (User, "user_catalogs", json!({"uuids": [7, null]}), 200),
        (User, "user_catalogs", json!({"displaynames": "text"}), 400),
        (User, "user_catalogs", json!({"displaynames": [null]}), 400),
        (
            Service,
            "commissions/action",
            json!({"accept": [true, 1.5]}),
            400,
        ),
        (
            Service,
            "commissions/action",
            json!({"accept": [true]}),
            200,
        ),
        (
            Service,
            "commissions/1/action",
            json!({"accept": null}),
            404,
        ),
    ] {
        let token = match caller {
            Open => carol.expose().as_bytes().to_vec(),
            caller => raw.token(caller),
        };
        let text = body.to_string();
        let json = Some("application/json");
        let response = raw.ask(("POST", path), &[&token], json, text.as_bytes());
        assert_eq!(response.status, status, "{path}: {body}");
    }
    // An integer of any size is an integer, and a float of any size is not.
    let issue = |quantity: &str| {
        let body = format!(
            "{{\"provisions\": [{{\"holder\": \"user:{alice}\", \"source\": \"project:{alice}\", \
             \"resource\": \"cyclades.vm\", \"quantity\": {quantity}}}]}}"
        );
        let json = Some("application/json");
        raw.ask(
            ("POST", "commissions"),
            &[&raw.token(Service)],
            json,
            body.as_bytes(),
        )
    };
    for quantity in [
        "1e30", "1.0", "-1e30", "NaN", "Infinity", "\"1\"", "null", "[]",
    ] {
        assert_eq!(issue(quantity).status, 400, "{quantity}");
    }
    for quantity in [great, "9223372036854775808", "-100000000000000000000"] {
        let refused = issue(quantity);
        assert_eq!(refused.status, 413, "{quantity}");
        let text = String::from_utf8(refused.body.to_vec()).unwrap();
        assert!(text.contains(&format!("\"quantity\":{quantity}")), "{text}");
    }
}

#[test]
fn a_specification_is_read_leniently() {
    let raw = Raw::new();
    let token = raw.token(User);
    let mut made = 0;
    let mut create = |field: &str, value: Value| {
        let mut spec = json!({"name": "a.example.org", "end_date": "2997-01-01T00:00:00Z"});
        spec[field] = value;
        let json = Some("application/json");
        let text = spec.to_string();
        let response = raw.ask(("POST", "projects"), &[&token], json, text.as_bytes());
        made += usize::from(response.status == 201);
        if made == 3 {
            // The limit of applications that wait.
            raw.0.reset();
            made = 0;
        }
        response.status.as_u16()
    };
    for (field, value, status) in [
        ("end_date", json!("2997-1-1T00:00:00Z"), 201),
        ("end_date", json!("2997-01-01 00:00:00+0000"), 201),
        ("end_date", json!("2997-01-01T00:00:60Z"), 400),
        ("end_date", json!("2997-01-01T00:00:00"), 400),
        ("end_date", json!("1997-01-01T00:00:00Z"), 400),
        ("end_date", json!(2997), 400),
        ("end_date", Value::Null, 400),
        ("max_members", json!("1.5K"), 201),
        ("max_members", json!("infinite"), 201),
        ("max_members", json!("inf"), 201),
        ("max_members", json!("many"), 400),
        ("max_members", json!([]), 400),
        ("max_members", Value::Null, 400),
        ("private", Value::Null, 201),
        ("private", json!(true), 201),
        ("private", json!("yes"), 400),
        ("name", json!(7), 400),
        ("name", Value::Null, 400),
        ("owner", Value::Null, 201),
        ("owner", json!("unknown"), 400),
        ("join_policy", json!("odd"), 400),
        ("resources", json!([]), 400),
        (
            "resources",
            json!({"cyclades.vm": {"member_capacity": 1}}),
            400,
        ),
        ("odd", json!(1), 201),
    ] {
        assert_eq!(create(field, value.clone()), status, "{field}: {value}");
    }
}

#[test]
fn headers_say_what_caches_and_browsers_want_to_know() {
    let raw = Raw::new();
    let resources = raw.ask(("GET", "resources"), &[], None, b"");
    let header = |response: &Response, name: &str| {
        let value = response.headers.get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let refused = raw.ask(("GET", "quotas"), &[], None, b"");
    for response in [&resources, &refused] {
        assert_eq!(
            header(response, "vary").unwrap(),
            "X-Auth-Token, Accept-Language"
        );
        assert_eq!(header(response, "content-language").unwrap(), "en");
        let expires = header(response, "expires").unwrap();
        assert_eq!(header(response, "last-modified").unwrap(), expires);
        assert!(expires.ends_with(" GMT"));
    }
    for (method, status) in [("GET", 200), ("HEAD", 200), ("OPTIONS", 200), ("POST", 403)] {
        let uri = "https://h/astakos/ui/get_services".parse::<Uri>().unwrap();
        let response = raw.0.handle(&Request::new(method.parse().unwrap(), uri));
        assert_eq!(response.status, status, "{method}");
        assert_eq!(response.body.is_empty(), method == "HEAD");
    }
}

#[test]
fn an_encoded_slash_is_a_slash_and_other_bytes_are_what_they_stand_for() {
    let raw = Raw::new();
    let (user, service) = (raw.token(User), raw.token(Service));
    let project = Server::project();
    let encoded = project.replace('-', "%2D");
    for (token, path, status) in [
        (&service, "commissions%2F1".to_owned(), 404),
        (&service, "commissions/%31".to_owned(), 404),
        (&service, "commissions/%31x".to_owned(), 400),
        (&user, format!("projects%2f{project}"), 200),
        (&user, format!("projects/{encoded}"), 200),
        (&user, format!("projects/{project}%2F"), 200),
        (&user, "projects/a%2Fb".to_owned(), 400),
        (&user, "projects/%25".to_owned(), 404),
        (&user, "projects/%C3%BC".to_owned(), 404),
        (&user, "%71uotas".to_owned(), 200),
    ] {
        let response = raw.ask(("GET", &path), &[token], None, b"");
        assert_eq!(response.status, status, "{path}");
    }
}

//! What the server looks at first, and what it takes for a body.

use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Method, Uri};
use serde_json::{Value, json};
use vouchsafe_astakos::Dialect;
use vouchsafe_astakos::mock::{Seed, Server};
use vouchsafe_core::transport::{Request, Response};

use super::ask::Asking;

fn request(method: Method, url: &str) -> Request {
    Request::new(method, url.parse::<Uri>().unwrap())
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap_or_default()
}

#[test]
fn the_method_comes_before_the_token_and_the_path_before_both() {
    let server = Server::new();
    for (method, path, status, allow) in [
        (Method::PUT, "account/v1.0/quotas", 405, Some("GET")),
        (
            Method::DELETE,
            "account/v1.0/commissions",
            405,
            Some("GET,POST"),
        ),
        (Method::GET, "identity/v2.0/tokens", 405, Some("POST")),
        (Method::GET, "account/v1.0/quotas", 401, None),
        (Method::GET, "account/v1.0/odd", 400, None),
        (Method::GET, "account/v2.0/quotas", 400, None),
        (Method::GET, "account/v1.0/commissions/x", 400, None),
        (Method::GET, "identity/v2.0/odd", 400, None),
        (Method::GET, "identity/", 200, None),
        (Method::POST, "identity/v2.0/tokens/", 200, None),
        (Method::GET, "ui/get_services", 200, None),
        (Method::GET, "oauth2/token", 405, Some("POST")),
        (Method::GET, "odd", 404, None),
    ] {
        let request = request(method, &format!("https://h/astakos/{path}"));
        let response = server.handle(&request);
        assert_eq!(response.status, status, "{path}");
        let seen = response
            .headers
            .get(ALLOW)
            .map(|value| value.to_str().unwrap());
        assert_eq!(seen, allow, "{path}");
    }
    let elsewhere = request(Method::GET, "https://h/account/v1.0/resources");
    assert_eq!(server.handle(&elsewhere).status, 404);
}

#[test]
fn a_token_in_the_query_comes_before_the_header() {
    let server = Server::new();
    let token = server.user_token(&Server::bob()).unwrap();
    let url = "https://h/astakos/account/v1.0/quotas";
    let good = format!("{url}?X-Auth-Token={}", token.expose());
    assert_eq!(server.handle(&request(Method::GET, &good)).status, 200);
    let mut both = request(Method::GET, &format!("{url}?X-Auth-Token=odd"));
    let header = HeaderValue::from_str(token.expose()).unwrap();
    both.headers.insert("x-auth-token", header);
    assert_eq!(server.handle(&both).status, 401);
}

#[test]
fn a_commission_is_checked_field_by_field() {
    let server = Server::new();
    let cyclades = Asking::component(&server, "cyclades");
    let project = format!("project:{}", Server::project());
    let good = json!({"holder": project, "source": null, "resource": "cyclades.vm", "quantity": 1});
    let with = |field: &str, value: Value| {
        let mut provision = good.clone();
        provision[field] = value;
        json!({"provisions": [provision]})
    };
    let mut short = good.clone();
    short.as_object_mut().unwrap().remove("source");
    for (body, status) in [
        (json!([]), 400),
        (json!({}), 400),
        (json!({"provisions": null}), 400),
        (json!({"provisions": {}}), 400),
        (json!({"provisions": [1]}), 400),
        (json!({"provisions": [short]}), 400),
        (with("quantity", json!("1")), 400),
        (with("quantity", json!(1.5)), 400),
        (with("quantity", Value::Null), 400),
        (json!({"provisions": [], "force": 1}), 400),
        (json!({"provisions": [], "auto_accept": null}), 400),
        (json!({"provisions": [], "name": null}), 400),
        (with("holder", json!(7)), 404),
        (with("source", json!("")), 404),
        (with("resource", Value::Null), 404),
        (with("holder", json!([])), 500),
        (with("quantity", json!(u64::MAX)), 413),
        (with("quantity", json!(-1)), 413),
        (with("quantity", json!(-1e30)), 400),
        (with("quantity", json!(-1.5)), 400),
        (with("quantity", json!(true)), 201),
        (json!({"provisions": [], "more": 1}), 201),
    ] {
        assert_eq!(cyclades.post("commissions", &body).0, status, "{body}");
    }
    let mut forced = with("quantity", json!(i64::MAX));
    forced["force"] = true.into();
    assert_eq!(
        cyclades.post("commissions", &forced).0,
        500,
        "more than is stored"
    );
    assert_eq!(server.commissions().len(), 2, "no refusal uses a serial");
}

#[test]
fn provisions_of_one_holding_are_summed_and_blamed_as_a_sum() {
    let server = Server::new();
    let cyclades = Asking::component(&server, "cyclades");
    let project = format!("project:{}", Server::project());
    let issue = |quantities: &[i64]| {
        let provisions = quantities.iter().map(|quantity| {
            json!({"holder": project, "source": null, "resource": "cyclades.vm", "quantity": quantity})
        });
        cyclades.post(
            "commissions",
            &json!({"provisions": provisions.collect::<Vec<_>>()}),
        )
    };
    let (status, refused) = issue(&[4, 3]);
    let data = &refused["overLimit"]["data"];
    assert_eq!((status, &data["provision"]["quantity"]), (413, &json!(7)));
    assert_eq!((&data["limit"], &data["usage"]), (&json!(6), &json!(0)));
    let (status, issued) = issue(&[9, -3]);
    assert_eq!(status, 201);
    let (_, info) = cyclades.get(&format!("commissions/{}", issued["serial"]));
    assert_eq!(info["provisions"].as_array().map(Vec::len), Some(1));
    assert_eq!(info["provisions"][0]["quantity"], 6);
}

#[test]
fn many_commissions_are_resolved_at_once_with_an_outcome_for_each() {
    let server = Server::new();
    let [cyclades, pithos] = ["cyclades", "pithos"].map(|name| Asking::component(&server, name));
    let issue = |asking: &Asking<'_>| {
        let (_, issued) = asking.post("commissions", &json!({"provisions": []}));
        issued["serial"].as_u64().unwrap()
    };
    let [a, b, c] = [(); 3].map(|()| issue(&cyclades));
    let foreign = issue(&pithos);
    let body = json!({"accept": [a, a, b, foreign], "reject": [b, c, 999]});
    let (status, told) = cyclades.post("commissions/action", &body);
    assert_eq!(
        (status, &told["accepted"], &told["rejected"]),
        (200, &json!([a]), &json!([c]))
    );
    let mut failed: Vec<_> = told["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            (
                pair[0].as_u64().unwrap(),
                pair[1].as_object().unwrap().keys().next().unwrap().as_str(),
            )
        })
        .collect();
    failed.sort_unstable();
    let missing = "itemNotFound";
    assert_eq!(
        failed,
        [(b, "badRequest"), (foreign, missing), (999, missing)]
    );
    assert_eq!(cyclades.get("commissions").1, json!([b]));
    for body in [
        json!([]),
        json!({"accept": null}),
        json!({"reject": ["1"]}),
        json!({"accept": {}}),
    ] {
        assert_eq!(cyclades.post("commissions/action", &body).0, 400, "{body}");
    }
    for (body, status) in [
        (json!({"accept": "", "reject": ""}), 400),
        (json!({"more": ""}), 400),
        (json!({"reject": null, "more": 1}), 200),
        (json!({"reject": ""}), 404),
    ] {
        assert_eq!(
            cyclades.post(&format!("commissions/{b}/action"), &body).0,
            status,
            "{body}"
        );
    }
}

#[test]
fn feedback_is_a_form_and_old_servers_take_any_label() {
    let send = |server: &Server, label: &str, form: &'static str| {
        let url = "https://h/astakos/account/v1.0/feedback";
        let mut request = request(Method::POST, url);
        let token = server.user_token(&Server::bob()).unwrap();
        let token = HeaderValue::from_str(token.expose()).unwrap();
        request.headers.insert("x-auth-token", token);
        request
            .headers
            .insert(CONTENT_TYPE, HeaderValue::from_str(label).unwrap());
        request.body = form.into();
        server.handle(&request).status.as_u16()
    };
    let server = Server::new();
    let old = Server::builder().dialect(Dialect::V014).start().unwrap();
    let form = "application/x-www-form-urlencoded";
    let good = "feedback_msg=a+b%21&feedback_data=";
    assert_eq!(send(&server, form, good), 200);
    assert_eq!(send(&server, "application/octet-stream", good), 400);
    assert_eq!(send(&old, "application/octet-stream", good), 200);
    assert_eq!(send(&server, form, "feedback_msg=&feedback_data=d"), 400);
    let multipart =
        "--x\r\nContent-Disposition: form-data; name=\"feedback_msg\"\r\n\r\nhi\r\n--x--\r\n";
    assert_eq!(
        send(&server, "multipart/form-data; boundary=x", multipart),
        200
    );
    let kept = [("a b!", ""), ("hi", "")].map(|(m, d)| (m.to_owned(), d.to_owned()));
    assert_eq!(server.feedback(), kept);
}

#[test]
fn a_code_is_traded_once_over_tls_for_a_token_that_ends() {
    let seed = json!({
        "users": [{"uuid": "u", "username": "u@example.org", "token": "t"}],
        "oauth2": {
            "clients": [{"id": "app", "secret": "s", "redirect_uris": ["https://app/cb"]}],
            "codes": [{"code": "c", "client": "app", "redirect_uri": "https://app/cb",
                       "scope": "https://app/", "user": "u"}],
        },
    });
    let seed = Seed::parse(&seed.to_string()).unwrap();
    let server = Server::builder().seed(seed).start().unwrap();
    let trade = |scheme: &str, basic: &'static str, form: &'static str| {
        let mut request = request(Method::POST, &format!("{scheme}://h/astakos/oauth2/token"));
        request
            .headers
            .insert(AUTHORIZATION, HeaderValue::from_static(basic));
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(CONTENT_TYPE, kind);
        request.body = form.into();
        let response = server.handle(&request);
        assert_eq!(response.headers[CONTENT_TYPE], "text/html; charset=utf-8");
        (response.status.as_u16(), body(&response))
    };
    // app:s, and app:x
    let (basic, wrong) = ("Basic YXBwOnM=", "Basic YXBwOng=");
    let form = "grant_type=authorization_code&code=c";
    assert_eq!(trade("http", basic, form).0, 400);
    assert_eq!(trade("https", wrong, form).0, 400);
    assert_eq!(trade("https", basic, "grant_type=password&code=c").0, 400);
    let elsewhere = "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fother";
    assert_eq!(trade("https", basic, elsewhere).0, 400);
    let (status, token) = trade("https", basic, form);
    assert_eq!((status, &token["expires_in"]), (200, &json!(20)));
    assert_eq!(trade("https", basic, form).0, 400, "a code is good once");

    let token = token["access_token"].as_str().unwrap();
    let validate = |query: &str| {
        let url = format!("https://h/astakos/identity/v2.0/tokens/{token}{query}");
        server.handle(&request(Method::GET, &url))
    };
    let told = body(&validate("?belongsTo=https%3A%2F%2Fapp%2Fx"));
    assert_eq!(told["access"]["user"]["id"], "u");
    assert!(told["access"].get("serviceCatalog").is_none());
    assert_eq!(validate("?belongsTo=https%3A%2F%2Fother").status, 404);
    server.clock().advance(std::time::Duration::from_secs(21));
    assert_eq!(validate("").status, 404);

    let page = |query: &str| {
        let url = format!("https://h/astakos/oauth2/auth{query}");
        server.handle(&request(Method::GET, &url))
    };
    let login = page("?response_type=code&client_id=app");
    assert_eq!(login.status, 302);
    assert!(
        login.headers[LOCATION]
            .to_str()
            .unwrap()
            .starts_with("https://h/astakos/ui/login?next=https%3A%2F%2Fh%2F")
    );
    assert_eq!(page("?response_type=code&client_id=odd").status, 400);
}

#[test]
fn credentials_come_in_the_body_and_say_whose_they_are() {
    let server = Server::new();
    let [alice, bob] = [Server::alice(), Server::bob()];
    let token = |uuid: &str| server.user_token(uuid).unwrap().expose().to_owned();
    let service = server.service_token("cyclades").unwrap();
    let password = |username: &str| json!({"username": username, "password": token(&alice)});
    for (auth, status) in [
        (json!({"token": {"id": token(&alice)}}), 200),
        (
            json!({"token": {"id": token(&alice)}, "tenantName": ""}),
            200,
        ),
        (
            json!({"token": {"id": token(&alice)}, "tenantName": bob}),
            400,
        ),
        (json!({"token": {"id": "odd"}, "tenantName": bob}), 401),
        (json!({"token": {"id": service.expose()}}), 401),
        (json!({"token": {"id": null}}), 400),
        (json!({"token": {}}), 400),
        (json!({}), 400),
        (json!({"passwordCredentials": password(&alice)}), 200),
        (json!({"passwordCredentials": password(&bob)}), 401),
        (json!({"passwordCredentials": {"username": alice}}), 400),
        (
            json!({"token": {"id": token(&bob)}, "passwordCredentials": password(&alice)}),
            200,
        ),
    ] {
        let mut request = request(Method::POST, "https://h/astakos/identity/v2.0/tokens");
        let json = HeaderValue::from_static("application/json");
        request.headers.insert(CONTENT_TYPE, json);
        request.body = json!({"auth": auth}).to_string().into();
        let response = server.handle(&request);
        assert_eq!(response.status, status, "{auth}");
        if status == 200 {
            let access = &body(&response)["access"];
            assert_eq!(access["token"]["tenant"]["id"], access["user"]["id"]);
            assert_eq!(access["user"]["projects"].as_array().map(Vec::len), Some(2));
        }
    }
}

#[test]
fn names_are_found_in_any_case_and_only_services_list_all_of_them() {
    let server = Server::new();
    let bob = Asking::user(&server, "bob");
    let cyclades = Asking::component(&server, "cyclades");
    let spelled = "Alice@Example.ORG";
    let (_, found) = bob.post(
        "user_catalogs",
        &json!({"displaynames": [spelled, "unknown"]}),
    );
    assert_eq!(
        found["displayname_catalog"],
        json!({spelled: Server::alice()})
    );
    let null = json!({"uuids": null});
    assert_eq!(
        bob.post("user_catalogs", &null).1["uuid_catalog"],
        json!({})
    );
    let (_, all) = cyclades.post("service/user_catalogs", &null);
    assert_eq!(
        all["uuid_catalog"].as_object().map(serde_json::Map::len),
        Some(3)
    );
    for body in [
        json!([]),
        json!({"displaynames": null}),
        json!({"displaynames": [1]}),
    ] {
        assert_eq!(bob.post("user_catalogs", &body).0, 400, "{body}");
    }
    assert_eq!(bob.post("service/user_catalogs", &null).0, 401);
}

#[test]
fn a_filter_that_finds_no_user_is_not_found_and_unknown_projects_alone_are_empty() {
    let server = Server::new();
    let cyclades = Asking::component(&server, "cyclades");
    let alice = Server::alice();
    let users = |query: &str| {
        let (status, told) = cyclades.get(&format!("service_quotas{query}"));
        (status, told.as_object().map_or(0, serde_json::Map::len))
    };
    assert_eq!(users(""), (200, 3));
    assert_eq!(users(&format!("?user={alice},unknown")), (200, 1));
    assert_eq!(users("?project=none"), (200, 0));
    assert_eq!(users("?user=unknown").0, 404);
    assert_eq!(users("?user=").0, 404);
    assert_eq!(users(&format!("?user={alice}&project=none")).0, 404);
    assert_eq!(cyclades.get("service_project_quotas?project=none").0, 404);
    let (_, told) = cyclades.get(&format!("service_quotas?user={alice}"));
    let own = told[&alice][&alice].as_object().unwrap();
    let names: Vec<_> = own.keys().map(String::as_str).collect();
    assert_eq!(names, ["cyclades.cpu", "cyclades.total_cpu", "cyclades.vm"]);
    let (_, seen) = Asking::user(&server, "alice").get("quotas");
    assert!(
        seen[&alice].get("cyclades.total_cpu").is_none(),
        "hidden from users"
    );
    assert!(seen[&alice].get("pithos.diskspace").is_some());
}

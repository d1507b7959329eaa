//! Tenants, and which of several refusals a request gets.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_caller_acts_in_the_tenant_that_the_request_names_if_it_may() {
    let auth = Auth::new(&[]);
    let app = app(&auth.layer());
    let in_tenant = async |tenant: &str| {
        let headers = [("X-Auth-Token", TOKEN), ("Wazo-Tenant", tenant)];
        send(&app, request("/whoever", &headers)).await
    };
    for own in [OWN, ""] {
        assert_eq!(in_tenant(own).await.1, format!("{ALICE} in {OWN}"));
    }
    assert_eq!(auth.asked(), ["token"]);
    for _ in 0..2 {
        assert_eq!(in_tenant(BELOW).await.1, format!("{ALICE} in {BELOW}"));
        let hidden = (
            401,
            "unauthorized-tenant".to_owned(),
            json!({"tenant_uuid": OTHER}),
        );
        assert_eq!(refusal(in_tenant(OTHER).await), hidden);
    }
    assert_eq!(auth.asked(), [BELOW, OTHER]);
    // A refusal names the tenant that the request does.
    let headers = [("X-Auth-Token", TOKEN), ("Wazo-Tenant", BELOW)];
    let (_, _, details) = refusal(send(&app, request("/status", &headers)).await);
    assert_eq!(details["tenant_uuid"], BELOW);
    for no_tenant in ["x", &BELOW.to_uppercase()] {
        assert_eq!(refusal(in_tenant(no_tenant).await).1, "unauthorized-tenant");
    }
    assert_eq!(auth.asked(), Vec::<String>::new());
    // The token was revoked in the meantime.
    auth.0.tokens.lock().unwrap().clear();
    let third = "55eaf242-8f70-450c-bbc2-58acd132ca55";
    assert_eq!(refusal(in_tenant(third).await), unknown());
    assert_eq!(refusal(in_tenant(OWN).await), unknown());
}

#[tokio::test(start_paused = true)]
async fn a_route_may_be_for_users_of_one_tenant() {
    let app = app(&Auth::new(&["#"]).layer());
    assert_eq!(ask(&app, "/own").await.0, StatusCode::OK);
    let expected = (401, "unauthorized".to_owned(), json!({"invalid_token": ""}));
    assert_eq!(refusal(ask(&app, "/other").await), expected);
    // Acting in a tenant is not being of it.
    let headers = [("X-Auth-Token", TOKEN), ("Wazo-Tenant", BELOW)];
    let (status, _) = send(&app, request("/own", &headers)).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn two_tenants_are_none_and_not_the_fault_of_the_token() {
    let auth = Auth::new(&[]);
    let app = app(&auth.layer());
    for (one, other) in [(OWN, OWN), (OWN, BELOW), (BELOW, "")] {
        let headers = [("Wazo-Tenant", one), ("Wazo-Tenant", other)];
        let of = |token| {
            let headers = [("X-Auth-Token", token), headers[0], headers[1]];
            send(&app, request("/whoever", &headers))
        };
        let (status, id, details) = refusal(of(TOKEN).await);
        assert_eq!((status, id.as_str()), (401, "unauthorized-tenant"));
        assert_eq!(details, json!({"tenant_uuid": format!("{one},{other}")}));
        assert_eq!(refusal(of(UNKNOWN).await), unknown());
    }
    assert_eq!(auth.asked(), ["token", "token"]);
}

/// Sends a request with a token and a tenant. Returns the error id and the details of the refusal.
async fn refused(app: &Router, path: &str, token: &str, tenant: &str) -> (String, Value) {
    let headers = [("X-Auth-Token", token), ("Wazo-Tenant", tenant)];
    let (status, id, details) = refusal(send(app, request(path, &headers)).await);
    assert_eq!(status, 401, "{path}");
    (id, details)
}

#[tokio::test(start_paused = true)]
async fn guards_refuse_in_the_order_and_the_words_of_the_service() {
    let auth = Auth::new(&["confd.status.read"]);
    let app = app(&auth.layer().refuse_in_guards());
    let status = "confd.status.read";
    let unknown = |access: &str| {
        let reason = "not_found_or_expired";
        json!({"invalid_token": "", "reason": reason, "required_access": access})
    };
    let missing = json!({
        "invalid_token": "", "reason": "missing_permission_or_invalid_tenant",
        "required_access": "confd.users.7.read", "tenant_uuid": OTHER,
    });
    let hidden = json!({"tenant_uuid": OTHER});
    // The token, the access, the tenant of the user, the tenant to act in.
    for (path, token, id, details) in [
        ("/status", UNKNOWN, "unauthorized", unknown(status)),
        ("/status", "", "unauthorized", unknown(status)),
        ("/other", UNKNOWN, "unauthorized", unknown(status)),
        ("/users/7", TOKEN, "unauthorized", missing),
        (
            "/other",
            TOKEN,
            "unauthorized",
            json!({"invalid_token": ""}),
        ),
        ("/own", TOKEN, "unauthorized-tenant", hidden.clone()),
        ("/status", TOKEN, "unauthorized-tenant", hidden.clone()),
        // Without a guard, the extractor of the caller refuses.
        ("/whoever", TOKEN, "unauthorized-tenant", hidden.clone()),
        ("/asked", TOKEN, "unauthorized-tenant", hidden),
    ] {
        let expected = (id.to_owned(), details);
        let got = refused(&app, path, token, OTHER).await;
        assert_eq!(got, expected, "{path} {token:?}");
    }
    for path in ["/whoever", "/asked"] {
        let (_, details) = refused(&app, path, UNKNOWN, OTHER).await;
        assert_eq!(details["reason"], "not_found_or_expired", "{path}");
        let (_, details) = refused(&app, path, "", "").await;
        assert_eq!(details["reason"], "not_found_or_expired", "{path}");
    }
    let headers = [("X-Auth-Token", TOKEN), ("Wazo-Tenant", BELOW)];
    let (status, _) = send(&app, request("/own", &headers)).await;
    assert_eq!(status, StatusCode::OK);
    auth.goes_away(true);
    let third = "55eaf242-8f70-450c-bbc2-58acd132ca55";
    let headers = [("X-Auth-Token", TOKEN), ("Wazo-Tenant", third)];
    assert_eq!(refusal(send(&app, request("/own", &headers)).await).0, 503);
}

#[tokio::test(start_paused = true)]
async fn the_layer_itself_refuses_first_and_names_no_access() {
    let app = app(&Auth::new(&[]).layer());
    for path in ["/status", "/users/7", "/whoever"] {
        let hidden = (
            "unauthorized-tenant".to_owned(),
            json!({"tenant_uuid": OTHER}),
        );
        assert_eq!(refused(&app, path, TOKEN, OTHER).await, hidden, "{path}");
        let (_, details) = refused(&app, path, UNKNOWN, OTHER).await;
        assert_eq!(details, unknown().2, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_dated_by_the_clock_of_the_tokens() {
    let auth = Auth::new(&[]);
    let app = app(&auth.layer().allow_anonymous());
    let date = async |path: &str, headers: &[(&str, &str)]| {
        let (_, body) = send(&app, request(path, headers)).await;
        let body: Value = serde_json::from_str(&body).unwrap();
        body["timestamp"].as_f64().unwrap()
    };
    let own = [("X-Auth-Token", TOKEN)];
    let other = [("X-Auth-Token", TOKEN), ("Wazo-Tenant", OTHER)];
    let unknown = [("X-Auth-Token", UNKNOWN)];
    let cases: [(&str, &[(&str, &str)]); 5] = [
        ("/status", &own),
        ("/status", &[]),
        ("/status", &other),
        ("/asked", &[]),
        ("/whoever", &unknown),
    ];
    let start = Duration::from_secs(START).as_secs_f64();
    for (path, headers) in cases {
        let date = date(path, headers).await;
        assert!((date - start).abs() < 0.001, "{path} {headers:?}: {date}");
    }
    auth.goes_away(true);
    tokio::time::advance(2 * MINUTE).await;
    assert!((date("/status", &own).await - start).abs() < 0.001);
}

//! The demo.

use crate::support::{holds_a_token, program, run};

#[test]
fn every_step_of_the_demo_does_what_it_says() {
    let done = run(&mut program(&["demo", "--json"])).good();
    let steps = done.json();
    let steps = steps.as_array().unwrap();
    for (service, least) in [
        ("userinfo", 15),
        ("ticket", 11),
        ("astakos", 8),
        ("cloud-credentials", 4),
        ("wazo-auth", 10),
    ] {
        let of_it = steps.iter().filter(|step| step["service"] == service);
        assert!(of_it.count() >= least, "{steps:#?}");
    }
    for step in steps {
        assert_eq!(step["ok"], true, "{step:#}");
        assert!(step["millis"].as_f64().unwrap() >= 0.0, "{step:#}");
    }
    let step = |part: &str| {
        let name = |step: &&serde_json::Value| step["step"].as_str().unwrap().contains(part);
        steps
            .iter()
            .find(name)
            .unwrap_or_else(|| panic!("no step {part}: {steps:#?}"))
    };
    assert_eq!(step("from the cache")["requests"], 0);
    assert_eq!(step("1,000 callers")["requests"], 1);
    assert_eq!(step("503 twice")["requests"], 3);
    let outage = step("not survived")["outcome"].as_str().unwrap();
    assert!(
        outage.contains("HTTP 503") && outage.contains(", 3 attempts in "),
        "{outage}"
    );
    assert!(
        step("by token")["outcome"]
            .as_str()
            .unwrap()
            .starts_with("alice (")
    );
    assert_eq!(
        step("as time goes by")["outcome"],
        "now: Ok, 2 h: Warning, 6 d: Error; checks go on"
    );
    assert_eq!(
        step("all are refused")["outcome"],
        "503: authentication-server-unreachable"
    );
    assert_eq!(
        step("where credentials come from")["outcome"],
        "first nowhere; then the store, PAN_ variables, the builder, the call, each before the last; \
         with a client id alone: missing client_secret, refresh_token"
    );
    assert!(!holds_a_token(&done.out));
}

#[test]
fn a_demo_of_one_service_shows_no_other() {
    let done = run(&mut program(&["demo", "--json", "userinfo"])).good();
    let steps = done.json();
    let steps = steps.as_array().unwrap();
    assert!(!steps.is_empty());
    assert!(steps.iter().all(|step| step["service"] == "userinfo"));

    let refused = run(&mut program(&["demo", "user-info"]));
    assert!(refused.err.contains("there is: userinfo, "), "{refused:?}");
}

#[test]
fn people_get_a_table_with_totals() {
    let done = run(&mut program(&["demo", "userinfo", "ticket"])).good();
    let header = done.out.lines().nth(1).unwrap();
    for column in ["service", "step", "outcome", "time", "requests"] {
        assert!(header.contains(column), "{header}");
    }
    let last = done.out.lines().last().unwrap();
    assert!(last.contains("steps, all as expected; "), "{last}");
    assert!(!holds_a_token(&done.out));
}

//! What the environment says of tvmtool. A test must not change its own environment, so each case
//! is a run of this program that does one thing.

use std::process::Command;

use vouchsafe_ticket::{Client, ErrorKind};

/// Connects, and says what came of it.
#[tokio::test]
#[ignore = "run by others, in an environment of theirs"]
async fn connecting() {
    let error = Client::tvmtool("me").connect().await.unwrap_err();
    println!("{:?}: {error}", error.kind());
}

fn connect(variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--ignored",
        "--exact",
        "--nocapture",
        "environment::connecting",
    ]);
    for name in [
        "TVMTOOL_LOCAL_AUTHTOKEN",
        "QLOUD_TVM_TOKEN",
        "DEPLOY_TVM_TOOL_URL",
    ] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_error_about_an_unusable_value_names_its_variable() {
    let broken = format!("{:?}: ", ErrorKind::BrokenSettings);
    let token = ("TVMTOOL_LOCAL_AUTHTOKEN", "planted\n");
    for (variables, variable) in [
        (
            &[token, ("DEPLOY_TVM_TOOL_URL", "8080")][..],
            "DEPLOY_TVM_TOOL_URL",
        ),
        (
            &[token, ("DEPLOY_TVM_TOOL_URL", "http://localhost")],
            "DEPLOY_TVM_TOOL_URL",
        ),
        (
            &[token, ("DEPLOY_TVM_TOOL_URL", "'http://localhost:8080'")],
            "DEPLOY_TVM_TOOL_URL",
        ),
        (
            &[("TVMTOOL_LOCAL_AUTHTOKEN", "\"planted\"")],
            "TVMTOOL_LOCAL_AUTHTOKEN",
        ),
        (&[("QLOUD_TVM_TOKEN", "'planted'")], "QLOUD_TVM_TOKEN"),
    ] {
        let said = connect(variables);
        assert!(
            said.contains(&broken) && said.contains(variable),
            "{variables:?}: {said}"
        );
        assert!(!said.contains("planted"), "{said}");
    }
}

#[test]
fn a_blank_behind_the_port_does_no_harm() {
    // Nothing listens there; only the port matters.
    let url = ("DEPLOY_TVM_TOOL_URL", " http://localhost:9 \n");
    let said = connect(&[url, ("TVMTOOL_LOCAL_AUTHTOKEN", "token")]);
    assert!(said.contains("localhost:9"), "{said}");
}

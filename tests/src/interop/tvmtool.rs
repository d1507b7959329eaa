//! A client of tvmtool in another language: what the files tell it, and plain HTTP.

use std::fs;

use serde_json::json;

use super::server::{self, Server};
use super::{Places, Report, script};
use crate::python;

/// Runs the checks of the script.
pub(super) async fn run(places: &Places, report: &mut Report) {
    let file = places.scripts.join("tvmtool.py");
    let Some(mut python) = python::find().await else {
        return report.miss("the client of tvmtool", python::none());
    };
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(why) => return report.fail("a folder for the files of tvmtool", why),
    };
    let path = |name: &str| places.scripts.join(name).display().to_string();
    let arguments = [
        ("--config", path("tvmtool.json")),
        ("--roles", format!("slug={}", path("roles.json"))),
        ("--tvmtool-files", folder.path().display().to_string()),
    ];
    let arguments = arguments.map(|(option, value)| format!("{option}={value}"));
    let started = async {
        let log = places.work.join("tvmtool.log");
        fs::create_dir_all(&places.work).map_err(|cause| cause.to_string())?;
        let program = server::program()?;
        Server::start(&program, "tvmtool", &arguments, &log).await
    };
    let server = match started.await {
        Ok(server) => server,
        Err(why) => return report.fail("vouchsafe serve", why),
    };
    let given = json!({
        "folder": folder.path(),
        "user_ticket": server.tokens()["user_ticket"],
        "management": server.place()["management"],
    });
    if let Err(why) = script::run(python.arg(&file), &given, report).await {
        report.fail("the script for tvmtool", why);
    }
}

//! The commands of the README and the guides, run as they are printed, and the service of the guide
//! against the world that is built into `serve`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use vouchsafe::core::Secret;
use vouchsafe::ticket::server::{ServiceTicket, TicketLayer, UserTicket};
use vouchsafe::ticket::{Client, TvmId};

use crate::support::{Played, http_with, program};

/// A block of a page, with the comment before it.
#[derive(Debug)]
struct Block {
    line: usize,
    language: String,
    mark: Option<Mark>,
    text: String,
}

#[derive(Debug, PartialEq)]
enum Mark {
    File(String),
    NotRun,
}

#[test]
fn every_command_in_readme_and_guides_passes_as_it_is_printed() {
    let mut ran = 0;
    for page in pages() {
        let folder = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(&page).unwrap();
        for block in blocks(&page, &text) {
            let place = format!("{}:{}", page.display(), block.line);
            match (&block.mark, block.language.as_str()) {
                (Some(Mark::File(name)), _) => {
                    fs::write(folder.path().join(name), &block.text).unwrap();
                }
                (Some(Mark::NotRun), _) => {}
                (None, "console" | "sh" | "bash" | "shell") => {
                    run(&place, folder.path(), &block.text);
                    ran += 1;
                }
                (None, _) => {}
            }
        }
    }
    assert!(ran >= 4, "only {ran} blocks were found");
}

#[test]
fn a_mark_says_what_it_is_for() {
    let page = Path::new("page.md");
    let text =
        "<!-- file: a.json -->\n```json\n{}\n```\n\n<!-- not run: slow -->\n```console\nx\n```\n";
    let marks: Vec<_> = blocks(page, text)
        .into_iter()
        .map(|block| block.mark)
        .collect();
    let file = Mark::File("a.json".to_owned());
    assert_eq!(marks, [Some(file), Some(Mark::NotRun)]);
    for wrong in [
        "<!-- not run: -->\n```console\nx\n```\n",
        "<!-- file: ../a -->\n```json\nx\n```\n",
        "<!-- file: a -->\n\ntext\n",
    ] {
        let read = std::panic::catch_unwind(|| blocks(page, wrong));
        assert!(read.is_err(), "{wrong}");
    }
}

/// The client of the guide is called `me`. Its callers have roles, but for one.
#[tokio::test]
async fn the_service_of_the_guide_lets_in_whom_the_built_in_world_sends() {
    let played = Played::start(&mut program(&[
        "serve",
        "--service",
        "tvmtool=0",
        "--until-stdin-closes",
    ]));
    let tokens = &played.ready["tokens"]["tvmtool"];
    let url = played.ready["services"]["tvmtool"]["url"].as_str().unwrap();
    let token = tokens["authtoken"].as_str().unwrap();
    let (_, port) = url.rsplit_once(':').unwrap();
    let client = Client::tvmtool("me")
        .auth_token(Secret::from(token))
        .host("127.0.0.1")
        .port(port.parse().unwrap())
        .connect()
        .await
        .unwrap();
    assert!(client.service_ticket("notes").is_ok());

    let layer = TicketLayer::new(client);
    let user = tokens["user_ticket"].as_str().unwrap();
    for (caller, id, status) in [("cart", 43, 200), ("crawler", 44, 403)] {
        let path = format!("/tvm/tickets?src={caller}&dsts=me");
        let (_, answer) = http_with(url, "GET", &path, &[("Authorization", token)], "");
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let ticket = answer["me"]["ticket"].as_str().unwrap();
        let mut request = http::Request::builder()
            .header("X-Ya-Service-Ticket", ticket)
            .header("X-Ya-User-Ticket", user)
            .body(())
            .unwrap();
        match layer.check(&mut request) {
            Ok(()) => {
                assert_eq!(status, 200, "{caller}");
                let found = ServiceTicket::of(request.extensions()).unwrap();
                assert_eq!(found.src(), TvmId::new(id));
                assert!(UserTicket::of(request.extensions()).is_ok());
            }
            Err(refusal) => assert_eq!(refusal.status(), status, "{caller}: {refusal}"),
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guides = fs::read_dir(root.join("docs/guide")).unwrap();
    let mut pages: Vec<_> = guides.map(|entry| entry.unwrap().path()).collect();
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

fn blocks(page: &Path, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut mark = None;
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}", page.display(), number + 1);
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, Some(language)) => {
                open = Some(Block {
                    line: number + 1,
                    language: language.to_owned(),
                    mark: mark.take(),
                    text: String::new(),
                });
            }
            (None, None) => {
                assert!(mark.is_none(), "{}: no block behind the mark", place());
                mark = read_mark(line, &place());
            }
        }
    }
    blocks
}

fn read_mark(line: &str, place: &str) -> Option<Mark> {
    let comment = line.strip_prefix("<!--")?.strip_suffix("-->")?.trim();
    if let Some(name) = comment.strip_prefix("file:") {
        let name = name.trim();
        assert!(
            !name.is_empty() && !name.contains('/'),
            "{place}: a file needs a name"
        );
        return Some(Mark::File(name.to_owned()));
    }
    let reason = comment.strip_prefix("not run:")?;
    assert!(!reason.trim().is_empty(), "{place}: not run for no reason");
    Some(Mark::NotRun)
}

/// Runs commands as a person would paste them, with the program on the path and nothing on standard
/// input.
fn run(place: &str, folder: &Path, commands: &str) {
    let program = Path::new(env!("CARGO_BIN_EXE_vouchsafe"));
    let path = vouchsafe::core::env::var("PATH").unwrap().unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let child = Command::new("bash")
        .args(["-eu", "-o", "pipefail", "-c", commands])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    let output = ended
        .recv_timeout(Duration::from_secs(60))
        .unwrap_or_else(|_| panic!("{place}: did not end within a minute:\n{commands}"))
        .unwrap();
    assert!(
        output.status.success(),
        "{place}: {}\n{commands}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

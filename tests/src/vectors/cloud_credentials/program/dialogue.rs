//! The tools that ask a person: `credentials_generate.py` and `credentials_remove.py` (protocol
//! section 14.2), as `generate` and `remove`, which ask the same questions in the same order.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::time::timeout;

use super::machine::{Machine, Order, PATIENCE};
use super::{Run, text};
use crate::vectors::report::Judgement;

/// Has the dialogue, and judges what came of it.
pub(super) async fn judge(
    machine: &Machine,
    run: &Run,
    command: &str,
    judgement: &mut Judgement,
) -> Result<(), String> {
    if !run.args.is_empty() {
        return Err(format!("no runner for arguments of {}", run.program));
    }
    let Some(dialogue) = &run.tty_dialogue else {
        return Err("a dialogue without answers".to_owned());
    };
    let order = Order {
        arguments: ["credentials", command].map(str::to_owned).to_vec(),
        ..Order::default()
    };
    let before = machine.there();
    let (code, shown) = converse(machine.command(&order), dialogue.clone()).await?;
    let is_hidden = |question: &str| SECRETS.iter().any(|secret| question.starts_with(secret));
    let secrets = dialogue.iter().filter(|(question, _)| is_hidden(question));
    let secrets: Vec<_> = secrets.map(|(_, answer)| answer.trim()).collect();
    let is_shown = |secret: &&&str| !secret.is_empty() && shown.contains(**secret);
    let count = secrets.iter().filter(is_shown).count();
    judgement.compare("secrets that are shown", &0, &count);
    let is_nameless = |(question, answer): &(String, String)| {
        question.starts_with("CLIENT_ID") && answer.trim().is_empty()
    };
    if dialogue.iter().any(is_nameless) || secrets.contains(&"") {
        judgement.waive("cli: a dialogue in which a value is left empty writes nothing");
        machine.compare_unchanged(before.as_ref(), judgement);
        return Ok(());
    }
    if machine.is_damaged {
        judgement.compare("succeeded", &false, &(code == Some(0)));
        machine.compare_unchanged(before.as_ref(), judgement);
        return Ok(());
    }
    match (run.outcome.exit_code, code) {
        (0, Some(0)) => judgement.judged(),
        (0, _) => judgement.differ(format!("exit code: expected 0, got {code:?}: {shown:?}")),
        (_, Some(0)) => judgement.differ(format!("expected a failure: {shown:?}")),
        _ => judgement.judged(),
    }
    if let Some(after) = &run.store_after {
        machine.compare_file(before.as_ref(), after, judgement);
    }
    Ok(())
}

/// Runs a command at a terminal, answers its questions, and returns its exit code and what the terminal
/// showed. Each question is awaited, so that nothing is typed before it.
async fn converse(
    mut command: Command,
    dialogue: Vec<(String, String)>,
) -> Result<(Option<i32>, String), String> {
    let keys: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).map_err(text)?;
    grantpt(&keys).map_err(text)?;
    unlockpt(&keys).map_err(text)?;
    let name = ptsname(&keys, Vec::new()).map_err(text)?;
    let name = name.to_str().map_err(text)?;
    let terminal = File::options().read(true).write(true).open(name);
    let terminal = terminal.map_err(text)?;
    let end = |file: &File| file.try_clone().map_err(text);
    let started = command
        .stdin(end(&terminal)?)
        .stdout(end(&terminal)?)
        .stderr(end(&terminal)?)
        .spawn();
    let mut child = started.map_err(text)?;
    // The program alone has it now, as does the command that started it.
    drop((command, terminal));
    let spoken = tokio::task::spawn_blocking(move || speak(keys.into(), &dialogue));
    let spoken = timeout(PATIENCE, spoken).await;
    if spoken.is_err() {
        // Its end ends the other side of the terminal, too.
        child.kill().map_err(text)?;
    }
    let ended = tokio::task::spawn_blocking(move || child.wait()).await;
    let ended = ended.map_err(text)?.map_err(text)?;
    let spoken = spoken.map_err(|_| "the program does not end the dialogue".to_owned())?;
    Ok((ended.code(), spoken.map_err(text)??))
}

fn speak(mut keys: File, dialogue: &[(String, String)]) -> Result<String, String> {
    let mut seen = Vec::new();
    for (question, answer) in dialogue {
        let begun = seen.len();
        while !seen[begun..].ends_with(question.as_bytes()) {
            let Some(byte) = next(&mut keys) else {
                let shown = String::from_utf8_lossy(&seen);
                return Err(format!("it does not ask {question:?}: {shown:?}"));
            };
            seen.push(byte);
        }
        keys.write_all(format!("{answer}\n").as_bytes())
            .map_err(text)?;
    }
    while let Some(byte) = next(&mut keys) {
        seen.push(byte);
    }
    Ok(String::from_utf8_lossy(&seen).into_owned())
}

/// Returns the next byte, or `None` once the program has ended, which Linux reports as an error.
fn next(keys: &mut File) -> Option<u8> {
    let mut byte = [0];
    let count = keys.read(&mut byte).ok()?;
    (count == 1).then_some(byte[0])
}

/// The questions whose answers are not shown.
const SECRETS: &[&str] = &["CLIENT_SECRET", "REFRESH_TOKEN"];

//! The two halves of a login, which is one command here: the page, and the exchange of a code for tokens.

use std::process::Stdio;

use http::{Method, Uri};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;
use vouchsafe::core::transport::{HttpTransport, Request, Transport as _};

use super::super::network::pairs;
use super::call::{Called, Calls, Shown};
use super::line::Deed;
use super::machine::{Order, PATIENCE, Ran};
use super::other::Other;
use super::text;

/// A login that waits for its user.
struct Login {
    child: Child,
    lines: BufReader<ChildStderr>,
    told: String,
    /// The page, if one was printed.
    url: Option<String>,
}

impl Calls<'_> {
    /// Compares the page of a login.
    pub(super) async fn authorize(&mut self, deed: &Deed, order: Order) -> Result<Called, Other> {
        let login = self.begin(deed, order).await?;
        let page = login.url.clone();
        self.told.push_str(&login.told);
        // It waits for its user: dropping it ends it.
        drop(login);
        let text = self.run.outcome.stdout.as_deref().unwrap_or_default();
        let recorded: Option<Value> = serde_json::from_str(text).ok();
        let recorded = recorded.as_ref().and_then(|pair| pair[0].as_str());
        let Some(recorded) = recorded else {
            let is_done = page.is_some();
            return Ok(Called {
                is_done,
                ..Called::done(Shown::Unknown)
            });
        };
        let (place, query) = parts(recorded);
        let has_client = query.iter().any(|(name, _)| name == "client_id");
        let Some(page) = page else {
            // Without a client there is no page (D1).
            self.is_refused |= !has_client;
            let fault = has_client.then(|| format!("no page: {}", self.told));
            return Ok(Called {
                is_done: false,
                fault,
                ..Called::done(Shown::Unknown)
            });
        };
        let got = parts(&page);
        let state = pairs(page.split_once('?').unwrap_or_default().1);
        let has_state = state
            .iter()
            .any(|(name, value)| name == "state" && value.len() >= 22);
        let fault = match got == (place, query) && has_state {
            true => None,
            false => Some(format!("page: expected {recorded:?}, got {page:?}")),
        };
        Ok(Called {
            fault,
            ..Called::done(Shown::Unknown)
        })
    }

    /// Logs in, where the page redirects at once with the code of a case.
    pub(super) async fn exchange(&mut self, deed: &Deed, order: Order) -> Result<Called, Other> {
        let Some(code) = deed.args.get("code").and_then(Value::as_str) else {
            return Err(Other::Waived("cli: a login always has a code (D4)"));
        };
        self.has_logged_in = true;
        let mut login = self.begin(deed, order).await?;
        if let Some(page) = &login.url {
            let query = pairs(page.split_once('?').unwrap_or_default().1);
            let find = |wanted: &str| {
                let mut found = query.iter().filter(|(name, _)| name == wanted);
                let (_, value) = found.next().ok_or_else(|| format!("no {wanted}: {page}"))?;
                Ok::<_, String>(value.clone())
            };
            let state = find("state")?;
            let given = [("code", code), ("state", state.as_str())];
            let given = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(given)
                .finish();
            let uri = format!("{}?{given}", find("redirect_uri")?);
            let uri: Uri = uri.parse().map_err(text)?;
            let browser = HttpTransport::builder().build().map_err(text)?;
            let answer = browser.send(Request::new(Method::GET, uri)).await;
            answer.map_err(text)?;
        }
        let ran = login.end().await?;
        self.told.push_str(&ran.out);
        self.told.push_str(&ran.err);
        // It shows no token.
        Ok(ran.called(Shown::Unknown))
    }

    async fn begin(&mut self, deed: &Deed, mut order: Order) -> Result<Login, Other> {
        let none = Map::new();
        let given = self.line.of_class('C').unwrap_or(&none);
        let known = [
            "client_id",
            "client_secret",
            "code",
            "instance_id",
            "redirect_uri",
            "region",
            "scope",
            "state",
        ];
        if let Some(other) = deed
            .args
            .keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            return Err(format!("no runner for the argument {other}").into());
        }
        let value = |name: &str| {
            let is_there = |value: &&Value| !value.is_null() && *value != "";
            let of_call = deed.args.get(name).filter(is_there);
            of_call.or_else(|| given.get(name).filter(is_there))
        };
        for (name, option) in [
            ("client_id", "--client-id"),
            ("instance_id", "--instance-id"),
            ("region", "--region"),
            ("auth_base_url", "--authorization-url"),
        ] {
            if let Some(text) = value(name).and_then(Value::as_str) {
                order.arguments.extend([option, text].map(str::to_owned));
            }
        }
        if let Some(secret) = value("client_secret").and_then(Value::as_str) {
            self.hidden.push(secret.to_owned());
            order.variables.push((SECRET, Some(secret.to_owned())));
            order
                .arguments
                .extend(["--client-secret-env", SECRET].map(str::to_owned));
        }
        for scope in value("scope")
            .into_iter()
            .flat_map(super::super::machine::texts)
        {
            order.arguments.extend(["--scope".to_owned(), scope]);
        }
        // The constructor's client is that of the login; as a variable, it would hide the file.
        order.variables.retain(|(name, _)| *name == SECRET);
        let mut child = Command::from(self.machine.command(&order))
            .kill_on_drop(true)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(text)?;
        let stderr = child
            .stderr
            .take()
            .ok_or_else(|| "no standard error".to_owned())?;
        let mut login = Login {
            child,
            lines: BufReader::new(stderr),
            told: String::new(),
            url: None,
        };
        let page = timeout(PATIENCE, login.page()).await;
        page.map_err(|_| "the login does not begin".to_owned())??;
        Ok(login)
    }
}

impl Login {
    /// Reads until the page is named.
    async fn page(&mut self) -> Result<(), String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).await.map_err(text)? == 0 {
                return Ok(());
            }
            self.told.push_str(&line);
            if line.starts_with("http://") || line.starts_with("https://") {
                self.url = Some(line.trim_end().to_owned());
                return Ok(());
            }
        }
    }

    async fn end(&mut self) -> Result<Ran, String> {
        let work = async {
            self.lines
                .read_to_string(&mut self.told)
                .await
                .map_err(text)?;
            let mut out = String::new();
            if let Some(mut stdout) = self.child.stdout.take() {
                stdout.read_to_string(&mut out).await.map_err(text)?;
            }
            let ended = self.child.wait().await.map_err(text)?;
            Ok(Ran {
                code: ended.code(),
                out,
                err: self.told.clone(),
            })
        };
        let ended = timeout(PATIENCE, work).await;
        ended.map_err(|_| "the login does not end".to_owned())?
    }
}

/// Returns the place of a page, and its query without what each login chooses. Scopes are one parameter (D2).
fn parts(url: &str) -> (String, Vec<(String, String)>) {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let own = [
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "state",
    ];
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs(query) {
        match found
            .iter_mut()
            .find(|(there, _)| *there == name && name == "scope")
        {
            Some((_, scopes)) => {
                scopes.push(' ');
                scopes.push_str(&value);
            }
            None if own.contains(&name.as_str()) => {}
            None => found.push((name, value)),
        }
    }
    (place.to_owned(), found)
}

const SECRET: &str = "LOGIN_CLIENT_SECRET";

//! Commands that call the operations of a service by name, for services without hand-written
//! commands.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches as _, value_parser};
use serde_json::{Value, json};
use vouchsafe::core::Secret;
use vouchsafe::core::call::described::{Arguments, Described, Parameter, Place};
use vouchsafe::core::call::{self, CallOptions};
use vouchsafe::core::mock::Journal;
use vouchsafe::core::service::Service;

use crate::connection::{self, ConnectionArgs};
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::Answer;
use crate::secret::read_document;
use crate::service;
use crate::stage::Stage;
use crate::terminal::{clean, to_json};
use crate::token::{TokenArgs, variable_help};

/// Options of a service that has one URL and one token.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServiceArgs {
    #[command(flatten)]
    token: TokenArgs,
    /// The URL of the service
    #[arg(long, value_name = "URL", global = true, help_heading = "Connection")]
    url: Option<String>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl ServiceArgs {
    /// Reads the options of a command.
    pub(crate) fn of(matches: &ArgMatches) -> Result<Self, Failure> {
        service::read(Self::from_arg_matches(matches))
    }

    /// Returns the URL, from the option or else from the environment.
    pub(crate) fn url(&self, variables: Variables) -> Result<String, Failure> {
        connection::url("--url", self.url.as_deref(), variables.url)
    }

    /// Returns whether there is a token to read.
    pub(crate) fn has_token(&self, variables: Variables) -> bool {
        self.token.is_given(variables.token)
    }

    /// Returns the token, or `None` if none is given and the operation works without one.
    pub(crate) fn token(
        &self,
        described: &Described,
        variables: Variables,
    ) -> Result<Option<Secret>, Failure> {
        if described.operation.is_open() && !self.token.is_given(variables.token) {
            return Ok(None);
        }
        self.token.secret(variables.token).map(Some)
    }
}

/// The environment variables that a service is configured by.
#[derive(Clone, Copy)]
pub(crate) struct Variables {
    pub(crate) url: &'static str,
    pub(crate) token: &'static str,
}

/// Returns the command of a service, with a subcommand for each operation.
pub(crate) fn command(
    name: &'static str,
    about: &'static str,
    variables: Variables,
    operations: &'static [Described],
) -> Command {
    let url = format!(
        "The URL of the service [default: the environment variable {}]",
        variables.url
    );
    ServiceArgs::augment_args(Command::new(name))
        .mut_arg("url", |arg| arg.help(url))
        .mut_arg("token_env", |arg| arg.help(variable_help(variables.token)))
        .about(about)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(operations.iter().map(|one| subcommand(one, &[])))
}

/// Returns the command of an operation, without parameters of these names on the wire, which the
/// caller's own options set.
pub(crate) fn subcommand(described: &'static Described, without: &[&str]) -> Command {
    let parameters = described.parameters.iter();
    let own = parameters.filter(|parameter| !without.contains(&parameter.name));
    let command = Command::new(described.name)
        .about(described.about)
        .args(own.map(argument));
    let command = match described.body {
        None => command,
        Some(body) => {
            let help = match body.example {
                "" => "Reads the body, as JSON, from a file; - is standard input".to_owned(),
                example => format!(
                    "Reads the body, as JSON, from a file; - is standard input. Such as {example}"
                ),
            };
            command.arg(file(BODY, "body", help).required(body.required))
        }
    };
    match described.answers_secret {
        false => command,
        true => {
            let help =
                "Writes the answer, which contains a secret, to a new file that only you can read";
            command.arg(file(OUT, "out", help.to_owned()).required(true))
        }
    }
}

fn argument(parameter: &'static Parameter) -> Arg {
    if parameter.secret {
        let about = sentence(parameter.about);
        let help = format!("Reads {} from a file. {about}", parameter.name);
        let flag = flag(format!("{}-file", parameter.flag));
        return file(&id(parameter), &flag, help).required(parameter.required);
    }
    let action = match parameter.place.is_list() {
        true => ArgAction::Append,
        false => ArgAction::Set,
    };
    let help = match parameter.about {
        "" => format!("Such as {}", parameter.example),
        about => about.to_owned(),
    };
    let argument = Arg::new(id(parameter))
        .value_name(parameter.flag.to_ascii_uppercase().replace('-', "_"))
        .help(help)
        .required(parameter.required)
        .action(action);
    match parameter.place {
        Place::Path => argument,
        _ => argument
            .long(flag(parameter.flag.to_owned()))
            .allow_hyphen_values(true),
    }
}

/// Keeps the flags of parameters distinct from those that every command has.
fn flag(name: String) -> String {
    match TAKEN.contains(&name.as_str()) {
        true => format!("parameter-{name}"),
        false => name,
    }
}

fn file(id: &str, flag: &str, help: String) -> Arg {
    Arg::new(id.to_owned())
        .long(flag.to_owned())
        .value_name("FILE")
        .help(help.trim().to_owned())
        .value_parser(value_parser!(PathBuf))
}

/// Keeps the ids of parameters distinct from those of the program's own options.
fn id(parameter: &Parameter) -> String {
    format!("parameter {}", parameter.name)
}

fn sentence(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("{text}."),
    }
}

/// Finds the operation of a command, and its arguments.
pub(crate) fn chosen<'m>(
    operations: &'static [Described],
    matches: &'m ArgMatches,
) -> Result<(&'static Described, &'m ArgMatches), Failure> {
    let (name, matches) = matches
        .subcommand()
        .ok_or_else(|| Failure::usage("no operation is given"))?;
    let described = operations.iter().find(|one| one.name == name);
    let described = described.ok_or_else(|| Failure::usage("there is no such operation"))?;
    Ok((described, matches))
}

/// Calls an operation, and returns the output.
pub(crate) async fn run<S: Service<Credential = ()>>(
    client: &S,
    described: &'static Described,
    matches: &ArgMatches,
) -> Result<Answer, Failure>
where
    Failure: From<S::Error>,
{
    // Before the call, so that no secret is created that cannot be stored.
    let out = match described.answers_secret {
        true => matches.get_one::<PathBuf>(OUT),
        false => None,
    };
    let out = out
        .map(|path| SecretFile::create_new(path, "a secret").map(|file| (path, file)))
        .transpose()?;
    let call = described.call(&arguments(described, matches)?)?;
    let answer = client.call(call, &(), &CallOptions::new()).await?;
    match out {
        None => Ok(shown(&answer)),
        Some((path, file)) => {
            let text = std::str::from_utf8(answer.body()).unwrap_or_default();
            file.keep(&Secret::from(text))?;
            let human = format!("written to {}", path.display());
            Ok(Answer::new(human, json!({"out": path})))
        }
    }
}

fn arguments(described: &'static Described, matches: &ArgMatches) -> Result<Arguments, Failure> {
    let mut arguments = Arguments::new();
    for parameter in described.parameters {
        let id = id(parameter);
        if parameter.secret {
            if let Ok(Some(path)) = matches.try_get_one::<PathBuf>(&id) {
                arguments = arguments.value(parameter, read_document(path)?.trimmed());
            }
            continue;
        }
        let values = matches.try_get_many::<String>(&id).ok().flatten();
        for value in values.into_iter().flatten() {
            arguments = arguments.value(parameter, value.as_str());
        }
    }
    if described.body.is_some()
        && let Some(path) = matches.get_one::<PathBuf>(BODY)
    {
        arguments = arguments.body(read_document(path)?);
    }
    Ok(arguments)
}

fn shown(answer: &call::Answer) -> Answer {
    let status = answer.status().as_u16();
    if answer.body().is_empty() {
        return Answer::new("done", json!({"status": status}));
    }
    match (answer.json::<Value>(), answer.text()) {
        (Ok(value), _) => Answer::new(to_json(&value), value),
        (Err(_), Ok(text)) => Answer::new(clean(text), json!({"text": text})),
        (Err(_), Err(_)) => {
            let size = answer.body().len();
            Answer::new(
                format!("{size} bytes that are not text"),
                json!({"bytes": size}),
            )
        }
    }
}

/// Shows every operation of a service, each called by name with the examples of its description.
pub(crate) async fn demo<S: Service<Credential = ()>>(
    stage: &mut Stage,
    journal: &Journal,
    client: &S,
    operations: &'static [Described],
) where
    Failure: From<S::Error>,
{
    let count = operations.len() as u64;
    let work = async {
        let mut statuses = Vec::new();
        for described in operations {
            let told = |failure: Failure| format!("{}: {failure}", described.name);
            let call = described.call(&described.examples());
            let call = call.map_err(|fault| told(fault.into()))?;
            let answer = client.call(call, &(), &CallOptions::new()).await;
            let answer = answer.map_err(|fault| told(fault.into()))?;
            statuses.push(answer.status().as_u16());
        }
        statuses.sort_unstable();
        statuses.dedup();
        Ok(format!("{count} operations answered, with {statuses:?}"))
    };
    stage
        .step("every operation by name", journal, count, work)
        .await;
}

const BODY: &str = "body of the request";
const OUT: &str = "file for the answer";

/// Options that every command has.
const TAKEN: &[&str] = &[
    "allow-plain-http",
    "body",
    "ca-file",
    "help",
    "json",
    "out",
    "retries",
    "timeout",
    "token",
    "token-env",
    "token-file",
    "token-stdin",
    "url",
    "verbose",
];

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::sync::{Arc, Mutex};

    use http::{Method, StatusCode};
    use vouchsafe::core::call::Operation;
    use vouchsafe::core::call::described::Body;
    use vouchsafe::core::service::{Base, Session};
    use vouchsafe::core::transport::{Request, Response, Transport};
    use vouchsafe::core::url::BaseUrl;
    use vouchsafe::core::{BoxFuture, CoreClient, Error, Result};

    use super::*;

    static NOTE: Operation = Operation::new("t.noteAdd", Method::POST, "/{owner}/notes").open();
    static LOG_IN: Operation = Operation::new("t.logIn", Method::POST, "/keys/{key}").open();

    const VARIABLES: Variables = Variables {
        url: "T_URL",
        token: "T_TOKEN",
    };

    const PARAMETER: Parameter = Parameter {
        name: "owner",
        flag: "owner",
        place: Place::Path,
        required: true,
        secret: false,
        about: "Whose it is",
        example: "alice",
    };

    static OPERATIONS: &[Described] = &[
        Described {
            operation: &NOTE,
            name: "note-add",
            about: "Add a note",
            parameters: &[
                PARAMETER,
                Parameter {
                    name: "tag",
                    flag: "tag",
                    place: Place::QueryEach,
                    required: false,
                    ..PARAMETER
                },
                Parameter {
                    name: "timeout",
                    flag: "timeout",
                    place: Place::Query,
                    required: false,
                    ..PARAMETER
                },
            ],
            body: Some(Body {
                is_form: false,
                required: true,
                example: "{}",
            }),
            answers_secret: false,
        },
        Described {
            operation: &LOG_IN,
            name: "log-in",
            about: "Log in",
            parameters: &[Parameter {
                name: "key",
                flag: "token",
                secret: true,
                ..PARAMETER
            }],
            body: None,
            answers_secret: true,
        },
    ];

    /// Answers with JSON, and records its requests.
    #[derive(Debug, Default)]
    struct Echo(Mutex<Vec<Request>>);

    impl Transport for Echo {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
            self.0.lock().unwrap().push(request);
            let mut response = Response::new(StatusCode::OK);
            response.body = r#"{"key": "planted"}"#.into();
            Box::pin(async { Ok(response) })
        }
    }

    #[derive(Clone, Debug)]
    struct Client(Session);

    impl Service for Client {
        type Error = Error;
        type Credential = ();

        async fn call(
            &self,
            call: call::Call,
            (): &(),
            options: &CallOptions,
        ) -> Result<call::Answer> {
            self.0.send(call, options).await
        }
    }

    async fn ran(
        arguments: &[&str],
    ) -> (std::result::Result<Answer, Failure>, String, Vec<Request>) {
        let echo = Arc::new(Echo::default());
        let core = CoreClient::builder().transport(echo.clone()).build();
        let base = Base::fixed(BaseUrl::parse("https://t.example.com").unwrap());
        let client = Client(Session::new(core.unwrap(), base));
        let command = command("t", "A test", VARIABLES, OPERATIONS);
        let matches = command.try_get_matches_from([&["t"], arguments].concat());
        let matches = matches.unwrap();
        let (described, matches) = chosen(OPERATIONS, &matches).unwrap();
        let done = run(&client, described, matches).await;
        let requests = echo.0.lock().unwrap().clone();
        (done, described.name.to_owned(), requests)
    }

    #[test]
    fn the_commands_are_sound() {
        command("t", "A test", VARIABLES, OPERATIONS).debug_assert();
    }

    #[tokio::test]
    async fn arguments_files_and_odd_names_reach_the_request() {
        let folder = tempfile::tempdir().unwrap();
        let body = folder.path().join("body");
        fs::write(&body, r#"{"text": "hello"}"#).unwrap();
        let body = body.to_str().unwrap();
        let line = ["note-add", "a/b", "--tag", "x", "--tag", "-y"];
        let more = ["--parameter-timeout", "9", "--body", body];
        let (done, _, requests) = ran(&[&line[..], &more[..]].concat()).await;
        assert!(done.is_ok());
        let uri = requests[0].uri.to_string();
        assert!(
            uri.ends_with("/a%2Fb/notes?tag=x&tag=-y&timeout=9"),
            "{uri}"
        );
        assert_eq!(requests[0].body, r#"{"text":"hello"}"#);
    }

    #[tokio::test]
    async fn secrets_come_from_files_and_go_into_files_that_are_new() {
        let folder = tempfile::tempdir().unwrap();
        let (key, out) = (folder.path().join("key"), folder.path().join("out"));
        fs::write(&key, "planted-key\n").unwrap();
        let [key, out] = [&key, &out].map(|path| path.to_str().unwrap());
        let line = ["log-in", "--parameter-token-file", key, "--out", out];
        let (done, _, requests) = ran(&line).await;
        assert!(done.is_ok());
        assert_eq!(requests[0].uri.path(), "/keys/planted-key");
        assert!(fs::read_to_string(out).unwrap().contains("planted"));
        let (again, _, requests) = ran(&line).await;
        assert!(again.err().unwrap().to_string().contains("exists"));
        assert!(requests.is_empty(), "nothing is asked that cannot be kept");
    }

    #[test]
    fn an_operation_that_answers_with_a_secret_needs_a_file_for_it() {
        let command = command("t", "A test", VARIABLES, OPERATIONS);
        let line = ["t", "log-in", "--parameter-token-file", "k"].map(OsString::from);
        let refused = command.try_get_matches_from(line).unwrap_err();
        assert!(refused.to_string().contains("--out"), "{refused}");
    }
}

//! `vouchsafe discovery`: queries to Repertoire.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use vouchsafe::core::Secret;
use vouchsafe::userinfo::HttpUrl;
use vouchsafe::userinfo::discovery::{
    Client, Document, Environment, InfluxDatabase, InfluxLocation,
};

use super::installation::{self, InstallationArgs, TOKEN_VARIABLE};
use crate::failure::Failure;
use crate::files::SecretFile;
use crate::output::{Answer, pairs, table};
use crate::terminal::{clean, to_json};
use crate::token::{TokenArgs, variable_help};

/// Options of `vouchsafe discovery`.
#[derive(Args, Debug)]
pub(crate) struct DiscoveryArgs {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    installation: InstallationArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the applications
    Applications,
    /// Lists the datasets
    Datasets,
    /// Shows the name and description of this environment
    Environment {
        /// Only the name, which older servers know too
        #[arg(long)]
        name: bool,
    },
    /// Shows the URLs of Butler configurations
    Butler {
        /// The dataset
        dataset: Option<String>,
    },
    /// Shows the URL of a dataset's ObsCore configuration
    Obscore {
        /// The dataset
        dataset: String,
    },
    /// Shows the URL of a service
    #[command(subcommand)]
    Url(UrlOf),
    /// Lists the versions of a service's API
    #[command(subcommand)]
    Versions(VersionsOf),
    /// Shows InfluxDB databases
    #[command(subcommand)]
    Influxdb(Influxdb),
    /// Prints the reduced document for notebooks as JSON
    Nublado,
    /// Prints the whole document as JSON
    Document,
}

#[derive(Debug, Subcommand)]
enum UrlOf {
    /// A service of a dataset
    Data {
        /// The service
        service: String,
        /// The dataset
        dataset: String,
        /// Exactly this version of its API
        #[arg(long = "api-version", value_name = "VERSION")]
        version: Option<String>,
    },
    /// An internal service
    Internal {
        /// The service
        service: String,
        /// Exactly this version of its API
        #[arg(long = "api-version", value_name = "VERSION")]
        version: Option<String>,
    },
    /// A user interface
    Ui {
        /// The service
        service: String,
    },
}

#[derive(Debug, Subcommand)]
enum VersionsOf {
    /// A service of a dataset
    Data {
        /// The service
        service: String,
        /// The dataset
        dataset: String,
    },
    /// An internal service
    Internal {
        /// The service
        service: String,
    },
}

#[derive(Debug, Subcommand)]
enum Influxdb {
    /// Lists the databases
    List {
        /// Which databases
        #[arg(long, value_enum, default_value_t = Location::Any)]
        location: Location,
    },
    /// Shows how to connect to a database, without credentials
    Info {
        /// The database's label
        label: String,
    },
    /// Shows how to connect to a database, with credentials
    #[command(mut_arg("token_env", |arg| arg.help(variable_help(TOKEN_VARIABLE))))]
    Credentials {
        /// The database's label
        label: String,
        /// Writes the password to a new file that only you can read, instead of printing it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        token: TokenArgs,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Location {
    Any,
    Local,
    Remote,
}

/// Runs the command, and returns what to print.
pub(crate) async fn run(args: DiscoveryArgs) -> Result<Answer, Failure> {
    let connection = &args.installation.connection;
    let mut builder = Client::builder()
        .base_url(args.installation.repertoire_url()?)
        .transport(connection.transport()?)
        .timeouts(connection.timeouts())
        .retry(connection.retry());
    if connection.allow_plain_http {
        builder = builder.allow_plain_http();
    }
    let client = builder.build()?;
    // The request is not sent if the file cannot be created.
    let found = || client.document();
    match args.command {
        Command::Applications => Ok(names("application", found().await?.applications().to_vec())),
        Command::Datasets => Ok(names("dataset", listed(found().await?.datasets()))),
        Command::Environment { name: false } => {
            let found = found().await?;
            let environment = found.environment();
            Ok(of_environment(known(
                environment,
                "description of this environment",
            )?))
        }
        Command::Environment { name: true } => {
            let found = found().await?;
            let name = found.environment_name();
            Ok(text(known(name, "name of this environment")?))
        }
        Command::Butler { dataset: None } => {
            let found = found().await?;
            let found: BTreeMap<_, _> = found.butler_repositories().collect();
            let rows = found
                .iter()
                .map(|(name, url)| vec![(*name).to_owned(), url.as_str().to_owned()]);
            Ok(Answer::new(
                table(&["dataset", "butler configuration"], rows),
                json!(found),
            ))
        }
        Command::Butler {
            dataset: Some(dataset),
        } => {
            let found = found().await?;
            let found = found.butler_config_for(&dataset);
            Ok(url(known(found, "Butler configuration of that dataset")?))
        }
        Command::Obscore { dataset } => {
            let found = found().await?;
            let found = found.obscore_config_for(&dataset);
            Ok(text(known(found, "ObsCore configuration of that dataset")?))
        }
        Command::Url(of) => url_of(&*found().await?, &of),
        Command::Versions(of) => versions_of(&*found().await?, &of),
        Command::Influxdb(of) => influxdb(&client, of).await,
        Command::Nublado => Ok(document(json!(found().await?.build_nublado_dict()))),
        Command::Document => Ok(document(json!(&*found().await?))),
    }
}

fn url_of(document: &Document, of: &UrlOf) -> Result<Answer, Failure> {
    let found = match of {
        UrlOf::Data {
            service,
            dataset,
            version,
        } => document.url_for_data(service, dataset, version.as_deref()),
        UrlOf::Internal { service, version } => {
            document.url_for_internal(service, version.as_deref())
        }
        UrlOf::Ui { service } => document.url_for_ui(service),
    };
    Ok(url(known(found, "such service, dataset or version")?))
}

fn versions_of(document: &Document, of: &VersionsOf) -> Result<Answer, Failure> {
    let found = match of {
        VersionsOf::Data { service, dataset } => document.versions_for_data(service, dataset),
        VersionsOf::Internal { service } => document.versions_for_internal(service),
    };
    Ok(names("version", known(found, "such service or dataset")?))
}

async fn influxdb(client: &Client, of: Influxdb) -> Result<Answer, Failure> {
    let unknown = "such InfluxDB database";
    match of {
        Influxdb::List { location } => {
            let location = match location {
                Location::Any => InfluxLocation::Any,
                Location::Local => InfluxLocation::Local,
                Location::Remote => InfluxLocation::Remote,
            };
            let document = client.document().await?;
            Ok(names(
                "database",
                listed(document.influxdb_databases(location)),
            ))
        }
        Influxdb::Info { label } => {
            let document = client.document().await?;
            let info = known(document.influxdb_connection_info(&label), unknown)?;
            Ok(Answer::new(pairs(database_rows(&info)), json!(info)))
        }
        Influxdb::Credentials { label, out, token } => {
            let token = installation::token(&token)?;
            let file = out
                .as_deref()
                .map(|path| SecretFile::create_new(path, "a password in use"))
                .transpose()?;
            let found = known(client.influxdb_credentials(&label, &token).await?, unknown)?;
            let mut rows = database_rows(&found.database);
            let mut value = json!(found.database);
            value["username"] = json!(found.username);
            rows.push(("user name".to_owned(), found.username.unwrap_or_default()));
            let password = found.password.as_ref().map(Secret::expose);
            match (file, &found.password) {
                (Some(_), None) => {
                    return Err(Failure::not_found("this database needs no password"));
                }
                (Some(file), Some(password)) => {
                    file.keep(password)?;
                    let path = out.unwrap_or_default();
                    value["file"] = json!(path.to_string_lossy());
                    rows.push(("password".to_owned(), format!("in {}", path.display())));
                }
                (None, _) => {
                    value["password"] = json!(password);
                    rows.push((
                        "password".to_owned(),
                        password.unwrap_or_default().to_owned(),
                    ));
                }
            }
            Ok(Answer::new(pairs(rows), value))
        }
    }
}

fn known<T>(found: Option<T>, what: &str) -> Result<T, Failure> {
    found.ok_or_else(|| Failure::not_found(format!("service discovery has no {what}")))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(str::to_owned).collect()
}

fn names(header: &str, names: Vec<String>) -> Answer {
    let rows = names.iter().map(|name| vec![name.clone()]);
    Answer::new(table(&[header], rows), json!(names))
}

fn text(text: &str) -> Answer {
    Answer::new(clean(text), json!(text))
}

fn url(url: &HttpUrl) -> Answer {
    text(url.as_str())
}

fn document(value: Value) -> Answer {
    Answer::new(to_json(&value), value)
}

fn of_environment(environment: &Environment) -> Answer {
    let mut rows = vec![
        ("name".to_owned(), environment.name.clone()),
        ("label".to_owned(), environment.label.clone()),
        ("title".to_owned(), environment.title.clone()),
        ("long title".to_owned(), environment.title_long.clone()),
        (
            "documents".to_owned(),
            environment.docs_url.as_str().to_owned(),
        ),
    ];
    if let Some(description) = &environment.description {
        rows.push(("description".to_owned(), description.clone()));
    }
    Answer::new(pairs(rows), json!(environment))
}

fn database_rows(database: &InfluxDatabase) -> Vec<(String, String)> {
    let mut rows = vec![
        ("url".to_owned(), database.url.as_str().to_owned()),
        ("database".to_owned(), database.database.clone()),
        (
            "schema registry".to_owned(),
            database.schema_registry.as_str().to_owned(),
        ),
        (
            "local".to_owned(),
            if database.local { "yes" } else { "no" }.to_owned(),
        ),
    ];
    if let Some(description) = &database.description {
        rows.push(("description".to_owned(), description.clone()));
    }
    rows
}

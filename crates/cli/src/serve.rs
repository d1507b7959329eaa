//! `vouchsafe serve`: emulators over TCP and on socket files, for tests in any language.
//!
//! One JSON line on standard output says where they are; nothing else is printed there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Args, Command};
use serde_json::{Map, json};
#[cfg(unix)]
use vouchsafe::core::mock::ServingUnix;
use vouchsafe::core::mock::management::Management;
use vouchsafe::core::mock::{CertificateAuthority, Host, Serving};

use crate::failure::Failure;
use crate::files::put_public;
use crate::output::print_line;
use crate::service::{Emulator, Seed, Service, Start};
use crate::services::{self, SERVICES};
use crate::terminal::{to_json, to_json_line};

/// Options of `vouchsafe serve`.
#[derive(Args)]
#[command(after_help = after_help(), mut_arg("seed", |seed| seed.help(seed_help())))]
pub(crate) struct ServeArgs {
    /// A service and its port on 127.0.0.1; without a port or with 0, any free one; or a new socket file,
    /// as NAME=unix:PATH; repeat for more
    #[arg(
        long = "service", value_name = "NAME=PORT", required_unless_present = "print_seed",
        value_parser = wanted,
    )]
    services: Vec<Wanted>,
    /// The port of the management API, which is plain HTTP even with --tls
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    management: u16,
    #[arg(long, value_name = "FILE[#CONFIG]")]
    seed: Option<PathBuf>,
    /// Prints an example of the state that a service starts from, with new secrets, and exits
    #[arg(long, value_name = "NAME", conflicts_with = "services", value_parser = services::find)]
    print_seed: Option<(&'static dyn Service, &'static str)>,
    /// Serves over TLS, with certificates from an authority made for this run
    #[arg(long)]
    tls: bool,
    /// Writes the authority's certificate to a file
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_out: Option<PathBuf>,
    /// Delays every answer by this many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Exits when standard input ends, so that no emulator outlives the test that started it
    #[arg(long)]
    until_stdin_closes: bool,
}

impl std::fmt::Debug for ServeArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServeArgs")
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
struct Wanted {
    service: &'static dyn Service,
    part: &'static str,
    place: Place,
}

/// Where a service listens.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Port(u16),
    #[cfg(unix)]
    File(PathBuf),
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={:?}", self.part, self.place)
    }
}

/// A service that is served until this is dropped.
enum Served {
    Tcp(Serving),
    #[cfg(unix)]
    File(ServingUnix),
}

impl Served {
    async fn start(
        place: &Place,
        host: &Host,
        authority: Option<&CertificateAuthority>,
    ) -> Result<Self, Failure> {
        Ok(match (place, authority) {
            (Place::Port(port), Some(authority)) => {
                Self::Tcp(host.serve_tls(loopback(*port), authority).await?)
            }
            (Place::Port(port), None) => Self::Tcp(host.serve(loopback(*port)).await?),
            #[cfg(unix)]
            (Place::File(path), _) => Self::File(host.serve_unix(path).await?),
        })
    }

    /// Returns the URL of a path on the server, which may be empty.
    fn url(&self, path: &str) -> String {
        match self {
            Self::Tcp(served) => format!("{}{path}", served.url()),
            #[cfg(unix)]
            Self::File(served) if path.is_empty() => served.url(),
            #[cfg(unix)]
            Self::File(served) => format!("{}:{path}", served.url()),
        }
    }

    fn port(&self) -> Option<u16> {
        match self {
            Self::Tcp(served) => Some(served.address().port()),
            #[cfg(unix)]
            Self::File(_) => None,
        }
    }
}

/// Serves until a signal or the end of standard input.
pub(crate) async fn run(args: ServeArgs, options: &ArgMatches) -> Result<(), Failure> {
    if let Some((service, _)) = args.print_seed {
        return print_line(&to_json(&service.example_seed()?));
    }
    // Before the ready line, since a program that reads it may send a signal at once.
    let end = End::watch(args.until_stdin_closes)?;
    args.check(options)?;
    let start = Start {
        seed: args.seed()?,
        options,
    };
    let authority = args.authority()?;
    let mut places = Map::new();
    let mut tokens = Map::new();
    let mut management = Management::new();
    let mut worlds: BTreeMap<&str, Emulator> = BTreeMap::new();
    let mut serving: Vec<Served> = Vec::new();
    for wanted in &args.services {
        let (world, name) = (wanted.service.name(), wanted.part);
        if places.contains_key(name) {
            return Err(Failure::usage(format!("--service {name} is given twice")));
        }
        let emulator = match worlds.entry(world) {
            Entry::Occupied(made) => made.into_mut(),
            Entry::Vacant(place) => {
                let emulator = wanted.service.emulator(&start)?;
                let latency = Duration::from_millis(args.latency);
                emulator.host.set_latency(latency);
                management = management.with(world, &emulator.host);
                place.insert(emulator)
            }
        };
        let served = Served::start(&wanted.place, &emulator.host, authority.as_ref()).await?;
        let url = served.url("");
        let mut place = json!({"url": url});
        let part = emulator.parts.remove(name).unwrap_or_default();
        for (what, path) in &part.paths {
            place[what] = served.url(path).into();
        }
        places.insert(name.to_owned(), place);
        wanted.service.served(options, &part, served.port())?;
        if !part.tokens.is_empty() {
            let shown = part
                .tokens
                .iter()
                .map(|(&whose, token)| (whose.to_owned(), token.expose().into()));
            tokens.insert(name.to_owned(), shown.collect::<Map<_, _>>().into());
        }
        tracing::info!(service = name, url, "serving");
        serving.push(served);
    }
    let managed = Host::new(Arc::new(management))
        .serve(loopback(args.management))
        .await?;
    let management = format!("{}/_mock", managed.url());
    for wanted in &args.services {
        let url = format!("{management}/{}", wanted.service.name());
        places[wanted.part]["management"] = url.into();
    }
    let ready = json!({
        "ready": true,
        "services": places,
        "management": management,
        "ca": authority.as_ref().map(CertificateAuthority::pem),
        "tokens": tokens,
    });
    print_line(&to_json_line(&ready))?;
    let why = end.reached().await;
    tracing::info!(why, "ending");
    Ok(())
}

impl ServeArgs {
    /// Adds these options, and those of the services, to a command.
    pub(crate) fn with_services(command: Command) -> Command {
        let serve = Self::augment_args(command);
        SERVICES
            .iter()
            .fold(serve, |serve, service| service.serve_options(serve))
    }

    /// Refuses options for services that are not served, and those that they cannot have.
    fn check(&self, options: &ArgMatches) -> Result<(), Failure> {
        let mut places = self.services.iter().map(|wanted| &wanted.place);
        if self.tls && !places.all(|place| matches!(place, Place::Port(_))) {
            let what = "--tls is for ports, and a service is to be served on a socket file";
            return Err(Failure::usage(what).hint("run vouchsafe serve once for each of them"));
        }
        let served = |service: &dyn Service| {
            let mut wanted = self.services.iter();
            wanted.any(|wanted| wanted.service.name() == service.name())
        };
        let with_seed: Vec<_> = SERVICES
            .iter()
            .filter(|service| service.seed().is_some())
            .collect();
        let seeded = with_seed
            .iter()
            .filter(|service| served(***service))
            .count();
        if self.seed.is_some() && seeded == 0 {
            let names: Vec<_> = with_seed.iter().map(|service| service.name()).collect();
            let names = names.join(" or ");
            let what = format!("--seed is for {names}, and none of them is served");
            let mut instead = SERVICES.iter().filter(|service| served(**service));
            let instead = instead.find_map(|service| service.instead_of_seed());
            let failure = Failure::usage(what);
            return Err(match instead {
                Some(instead) => failure.hint(instead),
                None => failure,
            });
        }
        if self.seed.is_some() && seeded > 1 {
            let what = "--seed is the state of one service, and several that take one are served";
            return Err(Failure::usage(what).hint("run vouchsafe serve once for each of them"));
        }
        let serves = |parts: &[&str]| {
            let mut wanted = self.services.iter();
            wanted.any(|wanted| parts.contains(&wanted.part))
        };
        for service in SERVICES {
            service.check_options(options, &serves)?;
        }
        Ok(())
    }

    fn seed(&self) -> Result<Option<Seed>, Failure> {
        let Some(given) = &self.seed else {
            return Ok(None);
        };
        let (path, config) = match given.to_str().and_then(|text| text.rsplit_once('#')) {
            // The name of a file may contain a #.
            Some((path, config)) if !given.exists() => {
                (PathBuf::from(path), Some(config.to_owned()))
            }
            _ => (given.clone(), None),
        };
        let text = std::fs::read_to_string(&path).map_err(|cause| {
            Failure::usage(format!(
                "the seed {} cannot be read: {cause}",
                path.display()
            ))
        })?;
        Ok(Some(Seed { path, text, config }))
    }

    fn authority(&self) -> Result<Option<CertificateAuthority>, Failure> {
        if !self.tls {
            return Ok(None);
        }
        let authority = CertificateAuthority::new()?;
        if let Some(path) = &self.ca_out {
            put_public(path, authority.pem().as_bytes())
                .map_err(|cause| Failure::usage(format!("--ca-out {}: {cause}", path.display())))?;
        }
        Ok(Some(authority))
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn wanted(text: &str) -> Result<Wanted, String> {
    let (name, place) = text.split_once('=').unwrap_or((text, "0"));
    let (service, part) = services::find(name)?;
    let place = match place.strip_prefix("unix:") {
        #[cfg(unix)]
        Some(path) => std::path::absolute(path)
            .map(Place::File)
            .map_err(|cause| format!("the socket file cannot be used: {cause}"))?,
        _ => place.parse().map(Place::Port).map_err(|_| {
            "the port is not a number from 0 to 65535, nor unix: and the path of a socket file"
                .to_owned()
        })?,
    };
    Ok(Wanted {
        service,
        part,
        place,
    })
}

/// The event that ends the emulators.
struct End {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    until_stdin_closes: bool,
}

impl End {
    #[cfg(unix)]
    fn watch(until_stdin_closes: bool) -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};

        let watch = |kind| {
            signal(kind)
                .map_err(|cause| Failure::failed(format!("signals cannot be received: {cause}")))
        };
        Ok(Self {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
            until_stdin_closes,
        })
    }

    #[cfg(not(unix))]
    fn watch(until_stdin_closes: bool) -> Result<Self, Failure> {
        Ok(Self { until_stdin_closes })
    }

    #[cfg(unix)]
    async fn reached(mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = stdin_closes(), if self.until_stdin_closes => "standard input closed",
        }
    }

    #[cfg(not(unix))]
    async fn reached(self) -> &'static str {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => "interrupted",
            () = stdin_closes(), if self.until_stdin_closes => "standard input closed",
        }
    }
}

async fn stdin_closes() {
    // On a separate thread, since no other way can wait for every kind of standard input.
    let read = tokio::task::spawn_blocking(|| {
        let mut input = std::io::stdin().lock();
        let mut thrown_away = [0; 1024];
        while input.read(&mut thrown_away).is_ok_and(|bytes| bytes > 0) {}
    });
    let _ = read.await;
}

fn after_help() -> String {
    let notes = SERVICES.iter().filter_map(|service| service.serve_notes());
    let notes = notes.map(|notes| format!("\n\n{notes}"));
    format!("{READY}{}", notes.collect::<String>())
}

fn seed_help() -> String {
    let states = SERVICES.iter().filter_map(|service| {
        let state = service.seed()?;
        Some(format!("{} ({state})", service.name()))
    });
    let states = states.collect::<Vec<_>>().join(", ");
    format!("The state to start from, instead of a small built-in one: for {states}")
}

const READY: &str = "\
Prints one line once everything is ready:
  {\"ready\": true, \"services\": {NAME: {\"url\": URL, \"management\": URL, ..}, ..},
   \"management\": URL, \"ca\": PEM or null, \"tokens\": {NAME: {..}, ..}}
\"tokens\" are those of the built-in state, made for this run.

The management API speaks JSON, and GET of a management URL describes it in OpenAPI: journal, \
faults, clock, reset and snapshot, and what a service adds, such as users and tokens. The URL \
outside of \"services\" stands for all services at once. docs/emulators.md describes everything.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_an_unknown_service_lists_those_that_exist() {
        let error = wanted("nonesuch=0").unwrap_err();
        for name in SERVICES.iter().flat_map(|service| service.parts()) {
            assert!(error.contains(name), "{error}");
            assert!(wanted(&format!("{name}=70000")).is_err());
            let place = |text: &str| wanted(text).unwrap().place;
            assert_eq!(place(&format!("{name}=8080")), Place::Port(8080));
            assert_eq!(place(name), Place::Port(0));
            #[cfg(unix)]
            assert_eq!(
                place(&format!("{name}=unix:/run/a.sock")),
                Place::File("/run/a.sock".into())
            );
        }
    }
}

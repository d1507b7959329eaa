//! The texts of requests, identical to the original's (protocol sections 11.2, 13.1 and 15.2).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use vouchsafe_core::Secret;

use crate::engine::env::BlackboxEnv;
use crate::engine::ids::TvmId;
use crate::engine::query::escape;
use crate::engine::secret::ServiceSecret;

/// The description of the calling process in a request.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what requests say")]
pub struct ProcInfo {
    /// The process id.
    pub pid: String,
    /// Its name, if known.
    pub name: Option<String>,
    /// The library, such as `client_rs_0.1.0`.
    pub lib_version: String,
}

impl ProcInfo {
    /// Describes this process. The name is the one in Linux's process table.
    #[must_use]
    pub fn of_this_process(version_prefix: &str) -> Self {
        Self {
            pid: std::process::id().to_string(),
            name: process_name(),
            lib_version: format!("client_{version_prefix}{}", env!("CARGO_PKG_VERSION")),
        }
    }

    /// The parameters, without a leading separator. The spelling of the name's key is the
    /// original's.
    fn params(&self) -> String {
        let mut text = format!("_pid={}", self.pid);
        if let Some(name) = &self.name {
            let _ = write!(text, "&_procces_name={}", escape(name));
        }
        let _ = write!(text, "&lib_version={}", self.lib_version);
        text
    }
}

/// Formats the body of `POST /2/ticket`. It contains a signature, so it is secret. Destinations
/// should be in ascending order.
#[must_use]
pub fn ticket_body(
    src: TvmId,
    secret: &ServiceSecret,
    destinations: &[TvmId],
    unix_seconds: i64,
    process: &ProcInfo,
) -> Secret {
    let destinations = joined(destinations.iter().copied());
    let time = unix_seconds.to_string();
    let signature = secret.sign_params(&time, &destinations, "");
    Secret::from(format!(
        "grant_type=client_credentials&src={src}&dst={destinations}&ts={time}&sign={}\
         &get_retry_settings=yes&{}",
        signature.expose(),
        process.params()
    ))
}

/// Formats the target of the request for public keys. A `src` of zero is left out.
#[must_use]
pub fn keys_path(src: TvmId, env: Option<BlackboxEnv>, process: &ProcInfo) -> String {
    let mut path = format!("/2/keys?{}&get_retry_settings=yes", process.params());
    if src.get() != 0 {
        let _ = write!(path, "&src={src}");
    }
    if let Some(env) = env {
        let _ = write!(path, "&env={}", env.number());
    }
    path
}

/// Formats the target of the request for roles from tirole.
#[must_use]
pub fn tirole_path(slug: &str, process: &ProcInfo) -> String {
    format!(
        "/v1/get_actual_roles?system_slug={}&{}",
        escape(slug),
        process.params()
    )
}

/// Formats the target of the request for tickets from tvmtool, with the ids in ascending order,
/// whatever the order of their aliases.
#[must_use]
pub fn tool_tickets_path(own_id: TvmId, destinations: &BTreeMap<String, TvmId>) -> String {
    let mut ids: Vec<TvmId> = destinations.values().copied().collect();
    ids.sort_unstable();
    let ids = joined(ids.into_iter());
    format!("/tvm/tickets?src={own_id}&dsts={ids}")
}

/// Formats the target of the request for roles from tvmtool.
#[must_use]
pub fn tool_roles_path(own_alias: &str) -> String {
    format!("/v2/roles?self={}", escape(own_alias))
}

/// Formats the `If-None-Match` header for a known revision of roles.
#[must_use]
pub fn if_none_match(revision: &str) -> String {
    format!("\"{revision}\"")
}

fn joined(ids: impl Iterator<Item = TvmId>) -> String {
    ids.map(|id| id.to_string()).collect::<Vec<_>>().join(",")
}

#[cfg(target_os = "linux")]
fn process_name() -> Option<String> {
    let status = std::fs::read("/proc/self/status").ok()?;
    let status = String::from_utf8_lossy(&status);
    let name = status.lines().find_map(|line| line.strip_prefix("Name:"))?;
    Some(name.trim().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn process_name() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_describes_itself() {
        let process = ProcInfo::of_this_process("rs_");
        let params = process.params();
        assert!(params.starts_with(&format!("_pid={}", std::process::id())));
        assert!(params.contains("&lib_version=client_rs_0."), "{params}");
        #[cfg(target_os = "linux")]
        assert!(params.contains("&_procces_name="), "{params}");
    }

    #[test]
    fn a_name_cannot_leave_its_parameter() {
        let process = ProcInfo {
            pid: "1".into(),
            name: Some("a&b=c d#".into()),
            lib_version: "v".into(),
        };
        let path = keys_path(TvmId::new(0), None, &process);
        assert_eq!(
            path,
            "/2/keys?_pid=1&_procces_name=a%26b%3Dc+d%23&lib_version=v&get_retry_settings=yes"
        );
        assert_eq!(tool_roles_path("a/b&c"), "/v2/roles?self=a/b%26c");
    }

    #[test]
    fn ids_come_in_ascending_order_whatever_their_aliases() {
        let destinations = BTreeMap::from([
            ("bbox".to_owned(), TvmId::new(11)),
            ("abc".to_owned(), TvmId::new(242)),
            ("same".to_owned(), TvmId::new(11)),
        ]);
        let path = tool_tickets_path(TvmId::new(9), &destinations);
        assert_eq!(path, "/tvm/tickets?src=9&dsts=11,11,242");
    }
}

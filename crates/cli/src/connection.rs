//! How the commands reach a service: options, transport, limits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use vouchsafe::core::call::{Retry, Timeouts};
use vouchsafe::core::transport::{HttpTransport, Proxy, Transport};
use vouchsafe::core::url::BaseUrl;
use vouchsafe::core::{Error, ErrorKind, Result as CoreResult, env};

use crate::failure::Failure;

/// Options for reaching a service.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Also trusts the certificate authorities in a PEM file
    #[arg(long, value_name = "PEM", global = true)]
    ca_file: Option<PathBuf>,
    /// Sends requests to other machines through a proxy: http://HOST:PORT, or https:// for one that
    /// speaks TLS
    #[arg(long, value_name = "URL", global = true)]
    proxy: Option<String>,
    /// Uses the proxies that HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY name
    #[arg(long, global = true)]
    proxy_from_env: bool,
    /// How long one request may take, in seconds or with a unit: 5, 2.5, 800ms; not one whose answer holds
    /// tokens that are issued once [default: 5, or more where results are waited for]
    #[arg(long, value_name = "TIME", global = true, value_parser = duration)]
    timeout: Option<Duration>,
    /// How often a failed request is sent again where that is safe
    #[arg(long, value_name = "COUNT", global = true, default_value_t = 2)]
    retries: u8,
    /// Allows plain http to other machines, where others on the network can read credentials
    #[arg(long, global = true)]
    pub(crate) allow_plain_http: bool,
}

/// Returns a URL from an option or else a variable, and names which of them is invalid in errors.
pub(crate) fn url(option: &str, given: Option<&str>, variable: &str) -> Result<String, Failure> {
    let found = match given {
        Some(text) => BaseUrl::parse(text).map_err(|fault| fault.with_origin(option))?,
        None => env::url(variable)?.ok_or_else(|| {
            Failure::usage(format!("{variable} is not set in the environment"))
                .hint(format!("set it, or give {option}"))
        })?,
    };
    Ok(found.to_string())
}

impl ConnectionArgs {
    /// Builds the transport.
    pub(crate) fn transport(&self) -> Result<Arc<dyn Transport>, Failure> {
        let connecting = self.timeout.unwrap_or(CONNECTING).min(CONNECTING);
        let mut builder = HttpTransport::builder().connect_timeout(connecting);
        if let Some(path) = &self.ca_file {
            let fail = |cause: &dyn std::fmt::Display| {
                Failure::usage(format!("--ca-file {}: {cause}", path.display()))
            };
            let pem = std::fs::read(path).map_err(|cause| fail(&cause))?;
            builder = builder.add_root_pem(&pem).map_err(|cause| fail(&cause))?;
        }
        if let Some(proxy) = self.proxy()? {
            builder = builder.proxy(proxy);
        }
        Ok(Arc::new(builder.build()?))
    }

    fn proxy(&self) -> Result<Option<Proxy>, Failure> {
        match &self.proxy {
            Some(_) if self.proxy_from_env => Err(Failure::usage(
                "one proxy is enough: give one of --proxy and --proxy-from-env",
            )),
            Some(url) if url.contains('@') => Err(Failure::usage(
                "--proxy takes no password: other users of the machine can read arguments",
            )
            .hint("set HTTPS_PROXY and HTTP_PROXY to the URL, and give --proxy-from-env")),
            Some(url) => {
                let proxy = Proxy::new(url).map_err(|fault| fault.with_origin("--proxy"))?;
                Ok(Some(proxy))
            }
            None if self.proxy_from_env => Ok(Some(Proxy::from_env()?)),
            None => Ok(None),
        }
    }

    /// Waits for one request outside of a client, as long as an attempt of one may take.
    pub(crate) async fn within<T>(
        &self,
        request: impl Future<Output = CoreResult<T>>,
    ) -> CoreResult<T> {
        let limit = self.attempt();
        match tokio::time::timeout(limit, request).await {
            Ok(answered) => answered,
            Err(_) => {
                let what = format!("no answer within {limit:?}");
                Err(Error::new(ErrorKind::Transport, what))
            }
        }
    }

    /// Returns the time limits: a whole call may take as long as all its attempts.
    pub(crate) fn timeouts(&self) -> Timeouts {
        self.timeouts_of(self.attempt())
    }

    /// Returns the time limits if the option is given, for clients whose own are longer than those here.
    pub(crate) fn given_timeouts(&self) -> Option<Timeouts> {
        self.timeout.map(|attempt| self.timeouts_of(attempt))
    }

    fn timeouts_of(&self, attempt: Duration) -> Timeouts {
        let attempts = u32::from(self.retries) + 1;
        Timeouts::default()
            .attempt(attempt)
            .call(attempt.saturating_mul(attempts))
    }

    fn attempt(&self) -> Duration {
        self.timeout.unwrap_or(ATTEMPT)
    }

    /// Returns the number of attempts of a call.
    pub(crate) fn retry(&self) -> Retry {
        Retry::default().attempts(u32::from(self.retries) + 1)
    }
}

/// Reads a duration: a number of seconds, or a number with `ms`, `s`, `m`, `h` or `d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err("the unit must be ms, s, m, h or d".to_owned()),
    };
    let number: f64 = digits
        .parse()
        .map_err(|_| "must be a number of seconds, or a number with ms, s, m, h or d".to_owned())?;
    match Duration::try_from_secs_f64(number * unit) {
        Ok(time) if !time.is_zero() && time <= LONGEST => Ok(time),
        _ => Err("out of range".to_owned()),
    }
}

const ATTEMPT: Duration = Duration::from_secs(5);
const CONNECTING: Duration = Duration::from_secs(10);

/// A hundred years: adding it to the present time does not overflow.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_unless_a_unit_says_otherwise() {
        for (text, millis) in [("5", 5_000), ("2.5", 2_500), ("800ms", 800), ("2s", 2_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(duration("30d"), Ok(Duration::from_secs(30 * 86_400)));
        for text in ["", "0", "-1", "5x", "s", "nan", "inf", "1e300", "5 s", "é"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}

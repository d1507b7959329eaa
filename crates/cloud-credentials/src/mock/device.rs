//! Logins of devices that have no browser (RFC 8628).

use std::time::{Duration, SystemTime};

use serde_json::json;
use vouchsafe_core::mock::form::escaped;
use vouchsafe_core::mock::respond;
use vouchsafe_core::transport::Request;

use super::data::{Decision, Device};
use super::params::Params;
use super::refusal::{Outcome, uncached};
use super::routes;
use super::state::{State, origin, random};
use super::token::narrowed;

impl Device {
    /// The additional wait for a device that polls too often (RFC 8628, 3.5).
    pub(super) const SLOWER: Duration = Duration::from_secs(5);
}

impl State {
    /// Starts the login of a device.
    pub(super) fn authorize_device(&mut self, request: &Request, now: SystemTime) -> Outcome {
        let params = Params::of_body(request)?;
        let client = self.authenticate(request, &params)?;
        let known = self.clients.get(&client);
        let scopes = narrowed(known.map_or(&[], |client| &client.scopes), &params)?;
        let (device_code, user_code) = (random(), user_code());
        let settings = &self.settings;
        let device = Device {
            client,
            user_code: user_code.clone(),
            scopes,
            expires: now
                .checked_add(settings.device_code_lifetime)
                .unwrap_or(now),
            interval: settings.device_interval,
            polled: None,
            answer: None,
            is_used: false,
        };
        let page = format!("{}{}", origin(&request.uri), routes::VERIFY_DEVICE);
        let body = json!({
            "device_code": device_code.expose(),
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?user_code={}", escaped(&user_code)),
            "expires_in": settings.device_code_lifetime.as_secs(),
            "interval": settings.device_interval.as_secs(),
        });
        self.devices.insert(device_code.expose().to_owned(), device);
        Ok(uncached(respond::json(200, &body)))
    }

    /// Decides for a user about one device or all that wait. Returns their number.
    pub(super) fn decide_device(
        &mut self,
        user_code: Option<&str>,
        decision: Decision,
        now: SystemTime,
    ) -> u64 {
        let wanted = user_code.map(letters);
        let mut decided = 0;
        for device in self.devices.values_mut() {
            let is_meant = wanted
                .as_ref()
                .is_none_or(|wanted| *wanted == letters(&device.user_code));
            if is_meant && device.answer.is_none() && now < device.expires {
                device.answer = Some(decision);
                decided += 1;
            }
        }
        decided
    }
}

/// Returns the significant part of a code that a user typed.
fn letters(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphabetic);
    letters.map(|c| c.to_ascii_uppercase()).collect()
}

/// Creates a code that is easy to type, without vowels, so that it is not a word (RFC 8628, 6.1).
fn user_code() -> String {
    let letter = || char::from(LETTERS[fastrand::usize(..LETTERS.len())]);
    let half = || (0..4).map(|_| letter()).collect::<String>();
    format!("{}-{}", half(), half())
}

const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

//! Logins of devices.

use std::time::Duration;

use vouchsafe_cloud_credentials::mock::{Consent, Decision, Server};

use crate::ask::{BASE, DEVICE, TOKEN, encoded, form, get, post, refused};

struct Device {
    server: Server,
    code: String,
    user_code: String,
    page: String,
}

impl Device {
    fn begin(server: &Server) -> Self {
        let (status, answer) = form(server, DEVICE, &[("client_id", "cli")]);
        assert_eq!(status, 200);
        assert_eq!(
            (&answer["interval"], &answer["expires_in"]),
            (&5.into(), &600.into())
        );
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self {
            server: server.clone(),
            code: text("device_code"),
            user_code: text("user_code"),
            page: text("verification_uri_complete"),
        }
    }

    fn poll(&self) -> (u16, String) {
        refused(form(
            &self.server,
            TOKEN,
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
                ("client_id", "cli"),
                ("device_code", &self.code),
            ],
        ))
    }

    fn poll_after(&self, seconds: u64) -> String {
        self.server.clock().advance(Duration::from_secs(seconds));
        self.poll().1
    }
}

#[test]
fn a_device_waits_for_its_user_at_the_pace_that_it_is_given() {
    let server = Server::new();
    let device = Device::begin(&server);
    assert_eq!(device.poll().1, "authorization_pending");
    assert_eq!(device.poll().1, "slow_down");
    // Which makes it wait five seconds longer.
    assert_eq!(device.poll_after(6), "slow_down");
    assert_eq!(device.poll_after(15), "authorization_pending");
    assert!(!server.decide_device("BBBB-BBBB", Decision::Allow));
    let typed = device.user_code.to_lowercase().replace('-', " ");
    assert!(server.decide_device(&typed, Decision::Allow));
    server.clock().advance(Duration::from_secs(15));
    assert_eq!(device.poll().0, 200);
    assert_eq!(device.poll_after(15), "invalid_grant");
    assert!(!server.decide_device(&device.user_code, Decision::Allow));
}

#[test]
fn a_device_is_told_of_refusal_and_expiry() {
    let server = Server::new();
    let device = Device::begin(&server);
    assert!(server.decide_device(&device.user_code, Decision::Deny));
    assert_eq!(device.poll().1, "access_denied");
    let device = Device::begin(&server);
    assert_eq!(device.poll_after(600), "expired_token");
    assert!(!server.decide_device(&device.user_code, Decision::Allow));
}

#[test]
fn the_page_for_devices_asks_or_decides() {
    let server = Server::new();
    let device = Device::begin(&server);
    let target = device.page.strip_prefix(BASE).unwrap();
    assert_eq!(get(&server, target).status, 200);
    assert_eq!(device.poll().0, 200);
    assert_eq!(get(&server, target).status, 404);

    server.configure(|settings| settings.consent = Consent::Asks);
    let device = Device::begin(&server);
    let target = device.page.strip_prefix(BASE).unwrap();
    assert_eq!(
        get(&server, &format!("{target}&decision=allow")).status,
        200
    );
    assert_eq!(device.poll().1, "authorization_pending");
    let path = target.split('?').next().unwrap();
    let body = encoded(&[("user_code", &device.user_code), ("decision", "deny")]);
    let answer = post(&server, path, "application/x-www-form-urlencoded", body);
    assert_eq!(answer.status, 200);
    assert_eq!(device.poll_after(5), "access_denied");
    assert_eq!(get(&server, path).status, 200, "it asks for the code");
}

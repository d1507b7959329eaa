//! What the server says of a token.

/// The token that is asked about.
pub const TOKEN: &str = "2df42d80-5e04-41f9-bd89-158445d0a7f3";

/// What the server says of it: a token of a user with 30 patterns.
pub fn of_token() -> String {
    let user = "5cdff4a3-24a3-494f-8d32-9c8695e868f9";
    let acl = (0..30).map(|number| format!("confd.users.me.things.{number}.*.read"));
    let answer = serde_json::json!({"data": {
        "token": TOKEN, "auth_id": user, "xivo_user_uuid": user,
        "xivo_uuid": "9c4d5e6f-7081-4293-a4b5-c6d7e8f90a09",
        "issued_at": "2026-11-22T12:34:25", "expires_at": "2026-11-22T14:34:25",
        "utc_issued_at": "2026-11-22T12:34:25.000000",
        "utc_expires_at": "2026-11-22T14:34:25.000000",
        "acl": acl.collect::<Vec<_>>(),
        "metadata": {
            "uuid": user, "tenant_uuid": "3f7c2a10-5f0e-4b8e-9a51-6d1c0b7f2e01", "auth_id": user,
            "pbx_user_uuid": user, "xivo_uuid": "9c4d5e6f-7081-4293-a4b5-c6d7e8f90a09",
            "purpose": "user",
        },
        "session_uuid": "aa11bb22-0000-4000-8000-00000000abcd",
        "user_agent": "bench", "remote_addr": "127.0.0.1",
    }});
    answer.to_string()
}

//! What is sent as a form, and answered with a redirect.

use vouchsafe_wazo_auth::{AcsAnswer, SamlForm};

use super::*;

#[tokio::test]
async fn a_configuration_is_a_form_with_a_file() {
    let told = Told::new([
        answer(200, &json!({"entity_id": "e"})),
        answer(200, &json!({})),
    ]);
    let client = told.client();
    let form = SamlForm::new()
        .entity_id("first")
        .entity_id("wazo")
        .metadata("<xml>vouchsafe-form</xml>");
    let config = client.saml_config().create(&form).await.unwrap();
    assert_eq!(config.entity_id.as_deref(), Some("e"));
    assert_eq!(told.line(0), "POST /api/auth/0.1/backends/saml");
    // The boundary is one that the file does not hold.
    let media = told.header(0, "content-type").unwrap();
    assert_eq!(media, "multipart/form-data; boundary=vouchsafe-form-");
    let body = String::from_utf8(told.last().body.to_vec()).unwrap();
    let expected = [
        "--vouchsafe-form-",
        "Content-Disposition: form-data; name=\"entity_id\"",
        "",
        "wazo",
        "--vouchsafe-form-",
        "Content-Disposition: form-data; name=\"metadata\"; filename=\"metadata.xml\"",
        "Content-Type: application/xml",
        "",
        "<xml>vouchsafe-form</xml>",
        "--vouchsafe-form---",
        "",
    ];
    assert_eq!(body, expected.join("\r\n"));
    client
        .saml_config()
        .update(&SamlForm::new().acs_url("https://a"))
        .await
        .unwrap();
    assert_eq!(told.line(1), "PUT /api/auth/0.1/backends/saml");
}

#[tokio::test]
async fn the_answer_of_an_identity_provider_leads_on_and_is_not_followed() {
    let there = with_header(status(302), "location", "https://app.example.com/back");
    let told = Told::new([there, status(302)]);
    let client = told.client();
    let given = AcsAnswer::new("planted-response", "planted-state");
    let location = client.saml().acs(&given).await.unwrap();
    assert_eq!(location, "https://app.example.com/back");
    let body = String::from_utf8(told.last().body.to_vec()).unwrap();
    assert_eq!(
        body,
        "RelayState=planted-state&SAMLResponse=planted-response"
    );
    assert!(!format!("{given:?}").contains("planted"));
    let error = client.saml().acs(&given).await.unwrap_err();
    assert!(error.to_string().contains("Location"), "{error}");
}

#[tokio::test]
async fn the_page_to_log_out_at_is_read_in_both_spellings() {
    let told = Told::new([
        answer(200, &json!({"location": "https://a"})),
        answer(200, &json!({"Location": "https://b"})),
        answer(200, &json!({})),
    ]);
    let client = told.client();
    assert_eq!(client.saml().logout().await.unwrap(), "https://a");
    assert_eq!(client.saml().logout().await.unwrap(), "https://b");
    assert!(client.saml().logout().await.is_err());
    assert_eq!(told.header(0, "x-auth-token").as_deref(), Some(TOKEN));
}

#[tokio::test]
async fn the_configuration_of_an_external_service_is_stored_and_not_shown() {
    let told = Told::new([
        answer(201, &json!("")),
        answer(200, &json!({"client_secret": "planted"})),
    ]);
    let client = told.client();
    let config = json!({"client_secret": "planted"}).into();
    client
        .external()
        .create_config("google", &config)
        .await
        .unwrap();
    assert_eq!(told.json(0), json!({"client_secret": "planted"}));
    let found = client.external().get_config("google").await.unwrap();
    assert_eq!(found, config);
    assert!(!format!("{found:?}").contains("planted"));
}

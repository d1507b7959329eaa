//! Redirects: where they are followed, and what goes along.

use super::*;

fn moved(code: u16, to: &str) -> Answer {
    (code, vec![("location", to.to_owned())], String::new())
}

#[tokio::test]
async fn a_redirect_is_the_answer_unless_some_are_to_be_followed() {
    let service = Service::new(|request, _| match request.uri.path() {
        "/base/x" => moved(302, "/y?a=b"),
        _ => status(200),
    });
    let client = service.client(&service.credentials());
    let get = |client: HttpClientBuilder| {
        let client = client.build().unwrap();
        client.request(Method::GET, "x").query("q", "1").send()
    };
    let answer = get(client.clone()).await.unwrap();
    assert_eq!(
        (answer.status(), service.asked().len()),
        (StatusCode::FOUND, 1)
    );
    let answer = get(client.follow_redirects(1)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(
        service.asked()[1],
        "GET https://api.example.com/y?a=b Bearer old"
    );
}

#[tokio::test]
async fn a_path_may_have_a_url_in_its_query() {
    let back = "back=https://other.example.com/z";
    let service = Service::new(move |request, _| match request.uri.path() {
        "/base/x" => moved(302, &format!("/y?{back}")),
        _ => status(200),
    });
    let client = service.client(&service.credentials()).follow_redirects(1);
    let client = client.build().unwrap();
    let answer = client.request(Method::GET, format!("x?{back}")).send();
    assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    let url = "https://api.example.com";
    let expected = [
        format!("GET {url}/base/x?{back} Bearer old"),
        format!("GET {url}/y?{back} Bearer old"),
    ];
    assert_eq!(service.asked(), expected);
}

#[tokio::test]
async fn the_token_is_not_taken_elsewhere() {
    for to in [
        "https://evil.test/",
        "//evil.test/",
        "http://api.example.com/y",
    ] {
        let service = Service::new(move |_, _| moved(307, to));
        let client = service.client(&service.credentials());
        let client = client.follow_redirects(9).build().unwrap();
        let answer = client.request(Method::GET, "x").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 307, "{to}");
        assert_eq!(service.asked().len(), 1, "{to}");
    }
}

#[tokio::test]
async fn a_credential_of_the_caller_is_not_taken_elsewhere_either() {
    let service = Service::new(|_, _| moved(307, "https://evil.test/"));
    let client = HttpClient::builder()
        .base_url("https://api.example.com/base/")
        .transport(Arc::clone(&service) as Arc<dyn Transport>)
        .follow_redirects(9)
        .build()
        .unwrap();
    let request = client.request(Method::GET, "x");
    let request = request.header("authorization", "Basic planted");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 307);
    assert_eq!(service.asked().len(), 1);
}

#[tokio::test]
async fn a_body_is_taken_along_only_where_the_method_stays() {
    for (code, method, becomes) in [
        (303, Method::PUT, "GET"),
        (303, Method::HEAD, "HEAD"),
        (302, Method::POST, "GET"),
        (302, Method::PUT, "PUT"),
        (308, Method::POST, "POST"),
    ] {
        let service = Service::new(move |request, _| match request.uri.path() {
            "/base/x" => moved(code, "y"),
            _ => status(200),
        });
        let client = service.client(&service.credentials());
        let client = client.follow_redirects(9).build().unwrap();
        let request = client.request(method.clone(), "x");
        request.body("text/plain", "body").send().await.unwrap();
        let last = service.last();
        assert_eq!(last.method.as_str(), becomes, "{code} {method}");
        assert_eq!(last.body.is_empty(), becomes == "GET", "{code} {method}");
        assert_eq!(last.headers.contains_key(CONTENT_TYPE), becomes != "GET");
    }
}

#[tokio::test]
async fn a_circle_ends_with_an_error() {
    let service = Service::new(|_, _| moved(302, "x"));
    let client = service.client(&service.credentials());
    let client = client.follow_redirects(3).build().unwrap();
    let error = client.request(Method::GET, "x").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Core(Kind::Status));
    assert_eq!(
        (error.status().unwrap().as_u16(), service.asked().len()),
        (302, 4)
    );
}

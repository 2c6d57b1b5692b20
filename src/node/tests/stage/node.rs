//! A node of the tests: the real binary in a folder of its own, on ports of its own.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// The password of everybody in the plays.
pub(crate) const PASSWORD: &str = "wherefore art thou";

/// A running node; it is killed when the value is dropped.
pub(crate) struct Node {
    folder: TempDir,
    child: Child,
    /// Client streams with STARTTLS.
    pub(crate) c2s: SocketAddr,
    /// Client streams over direct TLS.
    pub(crate) c2s_tls: SocketAddr,
    /// Administration.
    pub(crate) admin: SocketAddr,
}

/// A port on loopback that nobody has, outside the range that the system gives out by itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 1_800).unwrap_or_default() * 10;
    loop {
        let port = 12_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 18_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

impl Node {
    /// Starts a node with the default settings.
    pub(crate) async fn start() -> Node {
        Node::start_with("").await
    }

    /// Starts a node; `settings` are further keys of its configuration.
    pub(crate) async fn start_with(settings: &str) -> Node {
        Node::start_listening("", settings).await
    }

    /// The same with one more listener than every node of the tests has.
    pub(crate) async fn start_listening(listener: &str, settings: &str) -> Node {
        let folder = tempfile::tempdir().expect("a folder");
        let [c2s, c2s_tls, admin] = [free_port(), free_port(), free_port()];
        let config = format!(
            "(listeners: [(kind: c2s, port: {c2s}, tls: required), (kind: c2s, port: {c2s_tls}, tls: direct), \
             (kind: admin, port: {admin}), {listener}], {settings})"
        );
        std::fs::write(folder.path().join("mungo.ron"), config).expect("a configuration");
        let child = Node::spawn(folder.path());
        let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut node = Node {
            folder,
            child,
            c2s: address(c2s),
            c2s_tls: address(c2s_tls),
            admin: address(admin),
        };
        node.wait_until_ready().await;
        node
    }

    fn spawn(folder: &Path) -> Child {
        let log = std::fs::File::create(folder.join("log")).expect("a log");
        Command::new(env!("CARGO_BIN_EXE_mungo"))
            .args(["--config", "mungo.ron", "--data", "data"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts")
    }

    /// Reads what the node prints until it names the next command to type.
    async fn wait_until_ready(&mut self) {
        let stdout = self.child.stdout.take().expect("its output");
        let mut lines = BufReader::new(stdout).lines();
        let mut said = String::new();
        let ready = async {
            while let Ok(Some(line)) = lines.next_line().await {
                said.push_str(&line);
                said.push('\n');
                if line.contains("mungoctl") {
                    return true;
                }
            }
            false
        };
        let ready = tokio::time::timeout(Duration::from_secs(30), ready).await;
        assert!(
            ready == Ok(true),
            "the node did not start:\n{said}\n{}",
            self.log()
        );
        // What it says from here on goes nowhere, but the pipe must not fill.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    }

    /// Kills the node as a power cut would, and starts it again in the same folder.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.child.kill().await.expect("killed");
        self.child = Node::spawn(self.folder.path());
        self.wait_until_ready().await;
    }

    /// The folder it was started in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.pid())
            .ok()
            .and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.expect("a pid"), signal).expect("signalled");
    }

    /// Waits for its end and gives its exit code.
    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        let end = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        end.expect("it ends").expect("it is ours").code()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        if let Ok(mut file) = std::fs::File::open(self.folder.path().join("log")) {
            let _ = file.read_to_string(&mut text);
        }
        text
    }

    /// The certificate that it made for itself, to be trusted.
    pub(crate) fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        let file = self.data().join("self-signed.crt");
        for certificate in
            CertificateDer::pem_file_iter(&file).map_err(|e| format!("{}: {e}", file.display()))?
        {
            roots
                .add(certificate.map_err(|e| e.to_string())?)
                .map_err(|e| e.to_string())?;
        }
        Ok(roots)
    }

    /// Registers an account with [`PASSWORD`], if it isn't there.
    pub(crate) async fn register(&self, account: &str) -> Result<(), String> {
        let query = format!(
            r#"mutation {{ account {{ register(account: "{account}", password: "{PASSWORD}") {{ account }} }} }}"#
        );
        let answer = self.graphql(&query).await?;
        if answer.contains("\"errors\"") && !answer.contains("ALREADY_EXISTS") {
            return Err(answer);
        }
        Ok(())
    }

    /// Asks the node's administration.
    pub(crate) async fn graphql(&self, query: &str) -> Result<String, String> {
        let secret =
            std::fs::read_to_string(self.data().join("admin.secret")).map_err(|e| e.to_string())?;
        let body = serde_json::json!({ "query": query }).to_string();
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.admin,
            secret.trim(),
            body.len(),
        );
        let mut socket = TcpStream::connect(self.admin)
            .await
            .map_err(|e| e.to_string())?;
        socket
            .write_all(request.as_bytes())
            .await
            .map_err(|e| e.to_string())?;
        let mut answer = String::new();
        socket
            .read_to_string(&mut answer)
            .await
            .map_err(|e| e.to_string())?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        Ok(body.to_owned())
    }
}

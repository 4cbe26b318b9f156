//! The server as a process of its own, so that it can be killed.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// What letters lead to: the same for every process that may send a letter again, whatever port it listens at.
pub const PUBLIC_URL: &str = "http://127.0.0.1:3000";

/// What a process is started with.
#[derive(Clone)]
pub struct Spec {
    /// The database.
    pub url: String,
    /// The data directory; its log goes there too.
    pub directory: std::path::PathBuf,
    /// Where letters go.
    pub transport: String,
    /// The deployment's key.
    pub key: &'static str,
    /// Where it listens, the same after each restart.
    pub address: SocketAddr,
}

/// A running server. Dropped, it is killed.
pub struct Process {
    child: Child,
}

impl Spec {
    /// A port that nobody holds at this moment.
    pub fn free_address() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
    }

    /// The release of Relevé with these arguments; of its environment nothing is inherited.
    pub fn releve(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_releve"));
        command.args(arguments);
        self.furnish(&mut command);
        command
    }

    /// Gives a command the settings.
    pub fn furnish(&self, command: &mut Command) {
        command
            .current_dir(&self.directory)
            .env_clear()
            .env("DATABASE_URL", &self.url)
            .env("RELEVE__SERVER__PORT", self.address.port().to_string())
            .env("RELEVE__SERVER__PUBLIC_URL", PUBLIC_URL)
            .env("RELEVE__SERVER__DRAIN_S", "0")
            .env("RELEVE__DATA__DIRECTORY", &self.directory)
            .env("RELEVE__SIGN_IN__KEYS", self.key)
            .env("RELEVE__LETTERS__TRANSPORT", &self.transport)
            .env("RELEVE__LETTERS__FROM", "letters@releve.test")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
    }

    /// Starts a server by this command and waits until it is ready.
    pub async fn start(&self, mut command: Command) -> Process {
        let log = self.directory.join(format!("server-{}.log", self.address.port()));
        let lines = std::fs::OpenOptions::new().create(true).append(true).open(&log).expect("a log");
        let mut child = command.stderr(lines).spawn().expect("it starts");
        let began = Instant::now();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(2)).build().expect("a client");
        let ready = format!("http://{}/readyz", self.address);
        loop {
            if http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Process { child };
            }
            let ended = child.try_wait().expect("its state");
            if ended.is_some() || began.elapsed() > Duration::from_secs(30) {
                panic!("the server is not ready ({ended:?}):\n{}", tail(&log));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Runs a command of Relevé to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.releve(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).output().expect("it runs")
    }
}

impl Process {
    /// SIGKILL: nothing is tidied up.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it is gone");
    }

    /// SIGTERM: it ends in order.
    pub fn stop(mut self) {
        let stopped = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(stopped.success());
        let began = Instant::now();
        while self.child.try_wait().expect("its state").is_none() {
            assert!(began.elapsed() < Duration::from_secs(30), "the server does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

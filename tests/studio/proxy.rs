//! A proxy between a house and its PostgreSQL: refuses, falls silent, or cuts a connection at its commit.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use url::Url;

/// Where a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitCut {
    /// The server never sees the commit.
    Before,
    /// The server has committed, and nobody hears of it.
    After,
}

const OPEN: u8 = 0;
const REFUSING: u8 = 1;
const SILENT: u8 = 2;

/// A proxy that lives as long as the test's runtime.
pub struct Proxy {
    mode: AtomicU8,
    /// Counts up when every connection is to end.
    cuts: watch::Sender<u32>,
    armed: Mutex<Option<CommitCut>>,
    socket: PathBuf,
}

impl Proxy {
    /// A proxy before the server of this URL, and the URL that leads through it.
    pub fn before(url: &str) -> (Arc<Self>, String) {
        let url = Url::parse(url).unwrap();
        let value = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap();
        let socket = PathBuf::from(value("host")).join(format!(".s.PGSQL.{}", value("port")));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let through = format!("postgresql://{}@127.0.0.1:{port}/{}?sslmode=disable", value("user"), value("dbname"));
        let proxy = Arc::new(Self { mode: AtomicU8::new(OPEN), cuts: watch::channel(0).0, armed: Mutex::default(), socket });
        tokio::spawn(Arc::clone(&proxy).listen(TcpListener::from_std(listener).unwrap()));
        (proxy, through)
    }

    /// Connections are made and served as if there were no proxy.
    pub fn open(&self) {
        self.mode.store(OPEN, Ordering::SeqCst);
    }

    /// Every connection ends, and no new one is made.
    pub fn refuse(&self) {
        self.mode.store(REFUSING, Ordering::SeqCst);
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Connections stay and new ones are taken, but nothing passes: on these never again.
    pub fn fall_silent(&self) {
        self.mode.store(SILENT, Ordering::SeqCst);
    }

    /// Cuts the next connection that commits.
    pub fn cut_next_commit(&self, cut: CommitCut) {
        *self.armed.lock().unwrap() = Some(cut);
    }

    /// Whether nobody has committed since.
    pub fn is_armed(&self) -> bool {
        self.armed.lock().unwrap().is_some()
    }

    async fn listen(self: Arc<Self>, listener: TcpListener) {
        while let Ok((client, _)) = listener.accept().await {
            if self.mode.load(Ordering::SeqCst) != REFUSING {
                tokio::spawn(Arc::clone(&self).connection(client));
            }
        }
    }

    async fn connection(self: Arc<Self>, client: TcpStream) {
        let mut cuts = self.cuts.subscribe();
        tokio::select! {
            _ = cuts.changed() => {}
            _ = self.pass(client) => {}
        }
    }

    async fn pass(&self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        let mut server = UnixStream::connect(&self.socket).await?;
        let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                count = client.read(&mut asked) => {
                    let said = &asked[..count?];
                    self.unless_silent().await;
                    if said.is_empty() {
                        return Ok(());
                    }
                    match self.cut_at(said) {
                        Some(CommitCut::Before) => return Ok(()),
                        Some(CommitCut::After) => {
                            server.write_all(said).await?;
                            // Any first byte of the answer shows that the commit was done.
                            let _ = server.read(&mut answered).await?;
                            return Ok(());
                        }
                        None => server.write_all(said).await?,
                    }
                }
                count = server.read(&mut answered) => {
                    let said = &answered[..count?];
                    self.unless_silent().await;
                    if said.is_empty() {
                        return Ok(());
                    }
                    client.write_all(said).await?;
                }
            }
        }
    }

    /// Never comes back on a connection that was used in a silence.
    async fn unless_silent(&self) {
        if self.mode.load(Ordering::SeqCst) == SILENT {
            std::future::pending::<()>().await;
        }
    }

    fn cut_at(&self, said: &[u8]) -> Option<CommitCut> {
        if said.windows(7).any(|bytes| bytes == b"COMMIT\0") { self.armed.lock().unwrap().take() } else { None }
    }
}

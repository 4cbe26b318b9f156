//! A mail server as bad as they come: it refuses, stalls, hangs up and answers nonsense at any stage, as its script says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A stage of the conversation, named by what the server is about to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Hello,
    Auth,
    From,
    To,
    Data,
    /// The mail has come, whole.
    Mail,
}

/// What goes wrong at a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// This answer instead of the usual one.
    Says(&'static str),
    /// No answer, ever.
    Stalls,
    /// The connection ends.
    HangsUp,
    /// The connection ends in the middle of the mail; at other stages like [`Trouble::HangsUp`].
    HangsUpHalfWay,
}

/// A mail as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub to: String,
    pub raw: Vec<u8>,
}

/// Since when a server speaks behind TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secure {
    FromTheFirstByte,
    /// Once it is asked to (STARTTLS).
    WhenAsked,
}

/// How a server keeps what is said to itself.
#[derive(Clone)]
struct Tls {
    since: Secure,
    acceptor: TlsAcceptor,
}

/// What a conversation is held on.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// A running server. Dropped, it hangs up on everybody.
pub struct MailServer {
    pub address: SocketAddr,
    books: Arc<Mutex<Books>>,
    tasks: JoinSet<()>,
}

#[derive(Default)]
struct Books {
    /// The troubles to come; each happens once, to whoever reaches its stage first.
    script: VecDeque<(Stage, Trouble)>,
    received: Vec<Received>,
    accepted: Vec<Received>,
    connections: usize,
    stalled: usize,
    /// What was said to prove who sends, and whether it could be overheard.
    proofs: Vec<(String, bool)>,
}

impl MailServer {
    /// Opens on a port of its own.
    pub async fn open() -> Self {
        Self::open_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// Opens where a server was before.
    pub async fn open_at(address: SocketAddr) -> Self {
        Self::listen(address, None).await
    }

    /// Opens behind TLS; its certificate (PEM), which nobody has signed but itself.
    pub async fn open_secure(since: Secure) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let tls = Tls { since, acceptor: TlsAcceptor::from(Arc::new(config)) };
        (Self::listen("127.0.0.1:0".parse().unwrap(), Some(tls)).await, made.cert.pem())
    }

    async fn listen(address: SocketAddr, tls: Option<Tls>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let books = Arc::new(Mutex::new(Books::default()));
        let shared = Arc::clone(&books);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut conversations = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().unwrap().connections += 1;
                let (books, tls) = (Arc::clone(&shared), tls.clone());
                conversations.spawn(async move {
                    match tls {
                        Some(Tls { since: Secure::FromTheFirstByte, acceptor }) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                converse(Box::new(stream), None, true, books).await;
                            }
                        }
                        tls => converse(Box::new(stream), tls.map(|tls| tls.acceptor), false, books).await,
                    }
                });
            }
        });
        Self { address, books, tasks }
    }

    /// Hangs up on everybody and frees its port.
    pub async fn close(mut self) {
        self.tasks.shutdown().await;
    }

    /// As the setting `letters.transport`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// As the setting, with a password.
    pub fn url_with_password(&self) -> String {
        format!("smtp://letters:secret@{}", self.address)
    }

    /// What goes wrong next.
    pub fn expect(&self, stage: Stage, trouble: Trouble) {
        self.books.lock().unwrap().script.push_back((stage, trouble));
    }

    /// Nothing goes wrong any more.
    pub fn recover(&self) {
        self.books.lock().unwrap().script.clear();
    }

    /// Mails that came whole, answered or not.
    pub fn received(&self) -> Vec<Received> {
        self.books.lock().unwrap().received.clone()
    }

    /// Mails that it took, with a good answer sent.
    pub fn accepted(&self) -> Vec<Received> {
        self.books.lock().unwrap().accepted.clone()
    }

    /// Connections made to it.
    pub fn connections(&self) -> usize {
        self.books.lock().unwrap().connections
    }

    /// What was said to prove who sends, and whether behind TLS.
    pub fn proofs(&self) -> Vec<(String, bool)> {
        self.books.lock().unwrap().proofs.clone()
    }

    /// Conversations in which it fell silent.
    pub fn stalled(&self) -> usize {
        self.books.lock().unwrap().stalled
    }
}

/// One conversation. With `tls` it begins in the open and offers STARTTLS.
async fn converse(wire: Box<dyn Wire>, mut tls: Option<TlsAcceptor>, mut is_secure: bool, books: Arc<Mutex<Books>>) {
    let mut wire = BufReader::new(wire);
    let mut to = String::new();
    // The mail that this conversation has brought, not yet answered.
    let mut brought = None;
    let (mut stage, mut usual) = (Stage::Greeting, "220 mail.test ready");
    loop {
        let trouble = {
            let mut books = books.lock().unwrap();
            let at = books.script.iter().position(|(at, _)| *at == stage);
            at.and_then(|at| books.script.remove(at)).map(|(_, trouble)| trouble)
        };
        let answer = match trouble {
            None => usual,
            Some(Trouble::Says(answer)) => answer,
            Some(Trouble::Stalls) => {
                books.lock().unwrap().stalled += 1;
                std::future::pending().await
            }
            Some(Trouble::HangsUp) => return,
            Some(Trouble::HangsUpHalfWay) => {
                if stage == Stage::Data && wire.write_all(b"354 go on\r\n").await.is_ok() {
                    let _ = wire.read(&mut [0; 16]).await;
                }
                return;
            }
        };
        if stage == Stage::Mail && answer.starts_with('2') {
            books.lock().unwrap().accepted.extend(brought.take());
        }
        if wire.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
        if stage == Stage::Data && answer.starts_with('3') {
            let Some(raw) = mail(&mut wire).await else { return };
            let mail = Received { to: to.clone(), raw };
            books.lock().unwrap().received.push(mail.clone());
            brought = Some(mail);
            (stage, usual) = (Stage::Mail, "250 2.0.0 taken");
            continue;
        }
        (stage, usual) = loop {
            let mut line = String::new();
            if wire.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            break match line.get(..4).unwrap_or_default() {
                "EHLO" if tls.is_some() => (Stage::Hello, "250-mail.test\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250 8BITMIME"),
                "EHLO" => (Stage::Hello, "250-mail.test\r\n250-AUTH PLAIN\r\n250 8BITMIME"),
                "STAR" => {
                    let Some(acceptor) = tls.take() else { return };
                    if wire.write_all(b"220 2.0.0 go on\r\n").await.is_err() {
                        return;
                    }
                    let Ok(stream) = acceptor.accept(wire.into_inner()).await else { return };
                    wire = BufReader::new(Box::new(stream));
                    is_secure = true;
                    continue;
                }
                "AUTH" => {
                    let secret = line.rsplit(' ').next().unwrap_or_default().trim().to_owned();
                    books.lock().unwrap().proofs.push((secret, is_secure));
                    (Stage::Auth, "235 2.7.0 welcome")
                }
                "MAIL" => (Stage::From, "250 2.1.0 go on"),
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    (Stage::To, "250 2.1.5 go on")
                }
                "DATA" => (Stage::Data, "354 go on"),
                "QUIT" => return,
                // RSET and whatever else is no stage of a mail.
                _ => {
                    if wire.write_all(b"250 2.0.0 well\r\n").await.is_err() {
                        return;
                    }
                    continue;
                }
            };
        };
    }
}

/// The mail up to its lonely dot, the stuffed dots undone.
async fn mail(reading: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Vec<u8>> {
    let mut raw = Vec::new();
    loop {
        let from = raw.len();
        if reading.read_until(b'\n', &mut raw).await.ok()? == 0 {
            return None;
        }
        if &raw[from..] == b".\r\n" {
            raw.truncate(from);
            return Some(raw);
        }
        if raw[from] == b'.' {
            raw.remove(from);
        }
    }
}

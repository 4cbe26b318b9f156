//! Sends mails to a mail server (RFC 5321), over connections that are kept for the next mail.
//!
//! lettre's connection does the talking; the pool is ours, for two reasons. What a reply means depends on its stage: "550" to a recipient
//! ends a letter, "535" to our password is the server's or the owner's fault and passes. And a connection that was abandoned in the middle
//! of an exchange must never be used again: the next mail would take the late reply to this one for its own.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use url::{Host, Url};

use super::message::Mail;
use super::rules::SendError;

/// How long to wait for one address of the server to accept a connection. A whole attempt is bounded by `rules::ATTEMPT_MAX`.
const CONNECT_MAX: Duration = Duration::from_secs(15);

/// How long a connection is kept without a mail: servers hang up after some minutes.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// How long QUIT may take.
const QUIT_MAX: Duration = Duration::from_secs(1);

/// Codes that are about us or the server, at whatever stage they come: not authenticated, mechanisms, credentials, wrong order of commands,
/// no mail service here.
const SERVERS_TROUBLE: [u16; 6] = [503, 521, 530, 534, 535, 538];

/// A mail server.
pub struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
    idle: Mutex<VecDeque<Idle>>,
    idle_most: usize,
}

enum Tls {
    No,
    IfOffered(TlsParameters),
    Required(TlsParameters),
    FromTheFirstByte(TlsParameters),
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl std::fmt::Debug for Smtp {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Smtp {
    /// The server that a lettre URL names: `smtps://user:password@host:port`, `smtp://…?tls=required`, `…?tls=opportunistic`; the path is
    /// the name to greet with. Its certificate is signed by a public authority, or by one of `authorities` (PEM). At most `keep`
    /// connections are kept. Errors do not show the URL.
    pub fn open(url: &str, authorities: &[u8], keep: usize) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| error.to_string())?;
        let host = match url.host().ok_or("names no host")? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        if host.is_empty() {
            return Err("names no host".into());
        }
        let parameters = || tls(host.clone(), authorities);
        let wish = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        let (tls, usual_port) = match (url.scheme(), wish.as_deref()) {
            ("smtps", _) => (Tls::FromTheFirstByte(parameters()?), 465),
            ("smtp", Some("required")) => (Tls::Required(parameters()?), 587),
            ("smtp", Some("opportunistic")) => (Tls::IfOffered(parameters()?), 587),
            ("smtp", None) => (Tls::No, 25),
            _ => return Err("knows smtps://, and smtp:// with tls=required or tls=opportunistic or without".into()),
        };
        let name = url.path().trim_matches('/');
        let hello = if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) };
        let credentials = url.password().map(|password| Credentials::new(decoded(url.username()), decoded(password)));
        let port = url.port().unwrap_or(usual_port);
        Ok(Self { host, port, tls, credentials, hello, idle: Mutex::default(), idle_most: keep })
    }

    /// Hands over one mail. May be dropped at any time: its connection is dropped with it, in whatever state.
    pub async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let mut connection = self.open_with(mail).await?;
        match tell(&mut connection, mail).await {
            Ok(()) => {
                self.keep(connection);
                Ok(())
            }
            Err(error) => {
                // After a refusal the server is ready for the next mail, if it says so.
                if error.status().is_some() && connection.command(Rset).await.is_ok() {
                    self.keep(connection);
                }
                Err(refused(&error))
            }
        }
    }

    /// Quits the connections that are kept.
    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        let goodbyes = idle.into_iter().map(|mut one| async move { tokio::time::timeout(QUIT_MAX, one.connection.abort()).await });
        futures_util::future::join_all(goodbyes).await;
    }

    /// A connection on which MAIL FROM has been accepted. A kept one that turns out closed is no failure: nothing was sent yet.
    async fn open_with(&self, mail: &Mail) -> Result<AsyncSmtpConnection, SendError> {
        while let Some(mut connection) = self.kept() {
            let parameters = mail_parameters(&connection, mail)?;
            if connection.command(MailFrom::new(Some(mail.sender.clone()), parameters)).await.is_ok() {
                return Ok(connection);
            }
        }
        let mut connection = self.connect().await.map_err(servers_trouble)?;
        let parameters = mail_parameters(&connection, mail)?;
        connection.command(MailFrom::new(Some(mail.sender.clone()), parameters)).await.map_err(servers_trouble)?;
        Ok(connection)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let at_once = if let Tls::FromTheFirstByte(tls) = &self.tls { Some(tls.clone()) } else { None };
        let server = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_MAX), &self.hello, at_once, None).await?;
        match &self.tls {
            // Refused by lettre when the server does not offer it.
            Tls::Required(tls) => connection.starttls(tls.clone(), &self.hello).await?,
            Tls::IfOffered(tls) if connection.can_starttls() => connection.starttls(tls.clone(), &self.hello).await?,
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn kept(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|one| one.since.elapsed() < IDLE_MAX);
        // The one used last is the likeliest to be alive.
        idle.pop_back().map(|one| one.connection)
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.idle_most && !connection.has_broken() {
            idle.push_back(Idle { connection, since: Instant::now() });
        }
    }
}

/// The rest of the conversation about one mail.
async fn tell(connection: &mut AsyncSmtpConnection, mail: &Mail) -> Result<(), Error> {
    connection.command(Rcpt::new(mail.recipient.clone(), vec![])).await?;
    connection.command(Data).await?;
    connection.message(&mail.raw).await.map(drop)
}

/// What the server must be able to do for this mail.
fn mail_parameters(connection: &AsyncSmtpConnection, mail: &Mail) -> Result<Vec<MailParameter>, SendError> {
    let server = connection.server_info();
    let mut parameters = Vec::new();
    if ![&mail.sender, &mail.recipient].into_iter().all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !server.supports_feature(Extension::SmtpUtfEight) {
            return Err(SendError::permanent("the mail server does not take addresses beyond ASCII (SMTPUTF8)"));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !mail.raw.is_ascii() {
        if !server.supports_feature(Extension::EightBitMime) {
            return Err(SendError::permanent("the mail server does not take mails beyond ASCII (8BITMIME)"));
        }
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    Ok(parameters)
}

/// Before a recipient was named, nothing is this letter's fault.
fn servers_trouble(error: Error) -> SendError {
    SendError::transient(error.to_string())
}

/// A refusal of the recipient or the mail is final, unless its code is about something else.
fn refused(error: &Error) -> SendError {
    let code = error.status().map(u16::from);
    if error.is_permanent() && code.is_some_and(|code| !SERVERS_TROUBLE.contains(&code)) {
        return SendError::permanent(error.to_string());
    }
    SendError::transient(error.to_string())
}

fn tls(host: String, authorities: &[u8]) -> Result<TlsParameters, String> {
    let tls = TlsParameters::builder(host);
    if authorities.is_empty() {
        return tls.build().map_err(|error| error.to_string());
    }
    let more = Certificate::from_pem(authorities).and_then(|certificates| tls.add_root_certificate(certificates).build());
    more.map_err(|error| format!("with what letters.authorities_file holds: {error}"))
}

/// A part of a URL with its `%40` undone.
fn decoded(part: &str) -> String {
    let query = format!("p={}", part.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_lettre_reads_them() {
        let open = |url: &str| Smtp::open(url, &[], 1).map(|smtp| (smtp.host, smtp.port));
        assert_eq!(open("smtps://mail.test"), Ok(("mail.test".into(), 465)));
        assert_eq!(open("smtp://mail.test?tls=required"), Ok(("mail.test".into(), 587)));
        assert_eq!(open("smtp://[::1]:2525"), Ok(("::1".into(), 2525)));
        assert!(open("smtp://mail.test?tls=perhaps").is_err());
        let smtp = Smtp::open("smtps://me%40house.test:p%2Bl+i%26e@mail.test/hello.test", &[], 1).unwrap();
        assert_eq!(smtp.credentials, Some(Credentials::new("me@house.test".into(), "p+l+i&e".into())));
        assert_eq!(smtp.hello, ClientId::Domain("hello.test".into()));
    }
}

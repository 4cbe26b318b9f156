//! How mails are sent: to a mail server, into files, or into memory.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use lettre::message::Mailbox;
use tokio::sync::OnceCell;
use url::Url;

use super::files::Letters;
use super::message::Mail;
use super::rules::{ATTEMPT_MAX, SendError};
use super::smtp::Smtp;
use super::store;
use super::uids::UidDomains;
use crate::db::{Db, Error};
use crate::settings::Settings;

/// The post of this deployment: who sends, and by which transport.
#[derive(Debug)]
pub struct Post {
    /// The mailbox that sends, the setting `letters.from`.
    pub from: Mailbox,
    /// The setting `letters.transport`.
    pub transport: Transport,
    /// The public host's name: the setting `server.public_url`.
    host: String,
    uid_domains: OnceCell<UidDomains>,
}

/// A way to send mails.
#[derive(Debug)]
pub enum Transport {
    /// To a mail server.
    Smtp(Smtp),
    /// Into a directory, one `.eml` for each letter: for demonstrations and for writing apps.
    File(Letters),
    /// Into memory: for tests and benches.
    Memory(Memory),
}

impl Post {
    /// As the settings say. An error names the setting and never shows its password.
    pub fn open(settings: &Settings) -> Result<Self, String> {
        let from = settings.letters.from.parse().map_err(|error| format!("letters.from is no mailbox: {error}"))?;
        let text = settings.letters.transport.as_str();
        let (scheme, rest) = text.split_once(':').unwrap_or((text, ""));
        let transport = match scheme {
            "file" if rest.is_empty() => Transport::File(Letters { directory: settings.data.directory.join("letters"), own: true }),
            "file" => Transport::File(Letters { directory: rest.trim_start_matches("//").into(), own: false }),
            "memory" => Transport::Memory(Memory::default()),
            "smtp" | "smtps" => {
                let authorities = authorities(&settings.letters.authorities_file)?;
                let smtp = Smtp::open(text, &authorities, settings.letters.parallel);
                Transport::Smtp(smtp.map_err(|error| format!("letters.transport: {error}"))?)
            }
            _ => return Err("letters.transport must begin with smtp://, smtps://, file: or memory:".into()),
        };
        let host = Url::parse(&settings.server.public_url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.ok_or("server.public_url is no URL with a host")?;
        Ok(Self { from, transport, host, uid_domains: OnceCell::new() })
    }

    /// The right side of calendar UIDs, now and before.
    pub async fn uid_domains(&self, db: &Db, now: DateTime<Utc>) -> Result<&UidDomains, Error> {
        self.uid_domains.get_or_try_init(|| store::uid_domains(db, &self.host, self.from.email.domain(), now)).await
    }

    /// Closes the connections that are kept, politely.
    pub async fn close(&self) {
        if let Transport::Smtp(smtp) = &self.transport {
            smtp.close().await;
        }
    }
}

impl Transport {
    /// Sends one mail, within [`ATTEMPT_MAX`]. Once it returns without an error, somebody else is responsible for the mail.
    pub async fn send(&self, mail: Mail) -> Result<(), SendError> {
        let attempt = async {
            match self {
                Self::Smtp(smtp) => smtp.send(&mail).await,
                Self::File(letters) => {
                    let written = letters.write(&mail).await;
                    written.map_err(|error| SendError::transient(format!("no file could be written: {}", error.kind())))
                }
                Self::Memory(memory) => {
                    memory.put(mail);
                    Ok(())
                }
            }
        };
        let most = ATTEMPT_MAX.to_std().unwrap_or_default();
        tokio::time::timeout(most, attempt).await.unwrap_or_else(|_| Err(SendError::transient("it took too long")))
    }
}

/// The certificates of a file, if there is one.
fn authorities(file: &Path) -> Result<Vec<u8>, String> {
    if file.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let pem = std::fs::read(file).map_err(|error| format!("letters.authorities_file cannot be read: {error}"))?;
    // lettre would treat a file without any as if none were asked for.
    if !pem.windows(PEM_BEGINS.len()).any(|text| text == PEM_BEGINS) {
        return Err("letters.authorities_file holds no certificate (PEM)".into());
    }
    Ok(pem)
}

/// RFC 7468, §5.
const PEM_BEGINS: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Mails kept in memory, the newest [`Memory::KEPT`]. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<VecDeque<Mail>>>);

impl Memory {
    /// The most that are kept: a bench sends tens of thousands, and its server's memory is measured.
    pub const KEPT: usize = 50;

    /// The mails, in the order in which they were sent.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Takes the mails out.
    pub fn take(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }

    fn put(&self, mail: Mail) {
        let mut mails = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if mails.len() == Self::KEPT {
            mails.pop_front();
        }
        mails.push_back(mail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(transport: &str, from: &str) -> Result<Post, String> {
        let mut settings = Settings::defaults().unwrap();
        settings.letters.transport = transport.into();
        settings.letters.from = from.into();
        Post::open(&settings)
    }

    #[test]
    fn the_settings_choose_the_way() {
        assert!(
            matches!(post("file:", "letters@localhost").unwrap().transport, Transport::File(letters) if letters.own && letters.directory.ends_with("data/letters"))
        );
        assert!(
            matches!(post("file:/tmp/x", "a@b.test").unwrap().transport, Transport::File(letters) if !letters.own && letters.directory == Path::new("/tmp/x"))
        );
        assert!(matches!(post("memory:", "a@b.test").unwrap().transport, Transport::Memory(_)));
        assert!(matches!(post("smtps://me:secret@mail.test", "House <a@b.test>").unwrap().transport, Transport::Smtp(_)));
        for (transport, from) in [("smtp", "a@b.test"), ("carrier-pigeon:", "a@b.test"), ("memory:", "nobody"), ("smtp://:1", "a@b.test")] {
            assert!(post(transport, from).is_err(), "{transport} {from}");
        }
        let error = post("smtps://me:secret@mail.test:wrong", "a@b.test").unwrap_err();
        assert!(error.contains("letters.transport") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn authorities_that_are_named_are_there() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = Settings::defaults().unwrap();
        settings.letters.transport = "smtps://mail.test".into();
        settings.letters.authorities_file = directory.path().join("authorities.pem");
        let refusal = |settings: &Settings| Post::open(settings).unwrap_err();
        assert!(refusal(&settings).contains("letters.authorities_file cannot be read"));
        std::fs::write(&settings.letters.authorities_file, "nothing of the kind").unwrap();
        assert!(refusal(&settings).contains("letters.authorities_file holds no certificate"));
        std::fs::write(&settings.letters.authorities_file, "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n").unwrap();
        let refused = refusal(&settings);
        assert!(refused.contains("letters.authorities_file"), "{refused}");
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_tried_again() {
        let directory = tempfile::tempdir().unwrap();
        let transport = Transport::File(Letters { directory: directory.path().join("a file").join("letters"), own: true });
        std::fs::write(directory.path().join("a file"), "no directory").unwrap();
        let mail = Mail {
            id: uuid::Uuid::from_u128(1),
            sender: "a@b.test".parse().unwrap(),
            recipient: "c@d.test".parse().unwrap(),
            raw: b"Subject: x\r\n\r\ny".to_vec(),
        };
        assert!(transport.send(mail).await.is_err_and(|error| !error.permanent));
    }
}

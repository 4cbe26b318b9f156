//! What can be seen to be wrong with the settings before a process touches anything.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::Settings;
use crate::db::host_without_tls;

/// No time-out is longer, in seconds: more than an hour is surely a mistake, and huge values overflow when added to a time.
const SECONDS_MAX: u64 = 3_600;

/// One setting that is not right: its name, what is wrong with it, how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// As the file of settings names it: `server.public_url`.
    pub setting: &'static str,
    /// What is wrong. Never a secret.
    pub wrong: String,
    /// What to write instead.
    pub mend: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variable = self.setting.to_uppercase().replace('.', "__");
        write!(f, "{} (RELEVE__{variable}) {}: {}", self.setting, self.wrong, self.mend)
    }
}

/// Whether letters go to files or into memory instead of to a mail server.
fn keeps_letters(settings: &Settings) -> bool {
    ["file", "memory"].contains(&settings.letters.transport.split(':').next().unwrap_or_default())
}

/// Everything that is wrong for a process that serves or sends letters.
pub fn check(settings: &Settings) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |setting, wrong: String, mend: &str| faults.push(Fault { setting, wrong, mend: mend.to_owned() });

    let server = &settings.server;
    let is_public = match public_url(settings) {
        Ok(url) => !is_loopback(&url),
        Err(wrong) => {
            fault("server.public_url", wrong, "write what people type to reach this, such as https://book.example.com");
            false
        }
    };
    if is_public && keeps_letters(settings) && !settings.letters.files_in_production {
        fault(
            "letters.transport",
            format!(
                "is {:?} while people reach this at {}: codes would lie in files and nobody would get a letter",
                settings.letters.transport, server.public_url
            ),
            "name a mail server (smtps://user:password@mail.example.com), or set letters.files_in_production = true if files are meant",
        );
    }
    if is_public && !keeps_letters(settings) && settings.letters.from.trim_end_matches('>').ends_with("@localhost") {
        fault(
            "letters.from",
            format!("is {:?}, from which no mail server takes letters", settings.letters.from),
            "name a mailbox of your own",
        );
    }

    if let Some((wrong, mend)) = database_without_tls(settings) {
        fault("database.url", wrong, mend);
    }
    if !settings.letters.without_tls
        && let Some(host) = mail_host_without_tls(&settings.letters.transport)
        && !is_this_machine(&host)
    {
        fault(
            "letters.transport",
            format!("speaks to {host} without certain TLS: codes would pass in the open"),
            "write smtps://…, or smtp://…?tls=required, or set letters.without_tls = true if the way is safe by other means",
        );
    }

    let at_least_one = [
        ("server.connections_max", server.connections_max == 0),
        ("server.connections_per_address_max", server.connections_per_address_max == 0),
        ("server.keep_alive_s", server.keep_alive_s == 0),
        ("server.header_timeout_s", server.header_timeout_s == 0),
        ("server.request_timeout_s", server.request_timeout_s == 0),
        ("server.write_timeout_s", server.write_timeout_s == 0),
        ("server.body_bytes_max", server.body_bytes_max == 0),
        ("database.connections", settings.database.connections == 0),
        ("sign_in.access_token_min", settings.sign_in.access_token_min < 1),
        ("sign_in.session_days_max", settings.sign_in.session_days_max < 1),
        ("sign_in.staff_session_days_max", settings.sign_in.staff_session_days_max < 1),
        ("letters.parallel", settings.letters.parallel == 0),
    ];
    for (setting, _) in at_least_one.into_iter().filter(|(_, wrong)| *wrong) {
        fault(setting, "is less than 1".into(), "write 1 or more, or leave it out");
    }
    for (setting, seconds) in [
        ("server.keep_alive_s", server.keep_alive_s),
        ("server.header_timeout_s", server.header_timeout_s),
        ("server.request_timeout_s", server.request_timeout_s),
        ("server.write_timeout_s", server.write_timeout_s),
        ("server.drain_s", server.drain_s),
    ] {
        if seconds > SECONDS_MAX {
            fault(setting, format!("is {seconds}, more than an hour"), "write 3600 seconds or fewer");
        }
    }
    if server.worker_port != 0 && server.worker_port == server.port {
        fault("server.worker_port", format!("is {}, as server.port is", server.port), "give the worker a port of its own");
    }
    if server.private_port != 0 && [server.port, server.worker_port].contains(&server.private_port) {
        let wrong = format!("is {}, as server.port or server.worker_port is", server.private_port);
        fault("server.private_port", wrong, "give it a port of its own");
    }
    if let Err(error) = argon2::Params::new(settings.sign_in.argon2_memory_kib, settings.sign_in.argon2_passes, 1, None) {
        fault("sign_in.argon2_memory_kib", format!("and sign_in.argon2_passes are nothing for argon2 ({error})"), "leave both out");
    }
    if settings.data.directory.as_os_str().is_empty() {
        fault("data.directory", "is empty".into(), "name a directory, or leave it out");
    }
    for (setting, json) in [
        ("sign_in.apple_app_site_association", &settings.sign_in.apple_app_site_association),
        ("sign_in.assetlinks", &settings.sign_in.assetlinks),
    ] {
        if !json.trim().is_empty()
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(json)
        {
            fault(setting, format!("is no JSON ({error})"), "write the file's whole text, or leave it empty");
        }
    }
    faults
}

/// The URL, or what is wrong with it.
fn public_url(settings: &Settings) -> Result<Url, String> {
    let text = &settings.server.public_url;
    if text.is_empty() {
        return Err(format!("is empty, and cannot be told from server.address, which is {}", settings.server.address));
    }
    if text.contains('@') {
        return Err("has a user or a password in it, which every letter would show".into());
    }
    let url = Url::parse(text).map_err(|_| format!("is {text:?}, which is no URL"))?;
    if !["http", "https"].contains(&url.scheme()) || url.host().is_none() {
        return Err(format!("is {text:?}, which does not begin with https:// (or http://) and a host"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("is {text:?}: links are made by adding to it, which a ? or # does not bear"));
    }
    Ok(url)
}

/// Why the database must not be spoken to like that, and what would mend it. Asked by every command, not only by those that serve: each
/// sends the password.
pub fn database_without_tls(settings: &Settings) -> Option<(String, &'static str)> {
    let database = settings.database.url.trim();
    if settings.database.without_tls || !database.starts_with("postgres") {
        return None;
    }
    let host = host_without_tls(database).filter(|host| !is_this_machine(host))?;
    let wrong = format!("speaks to {host} without certain TLS: its password and all that members wrote would pass in the open");
    let mend =
        "add ?sslmode=verify-full&sslrootcert=… (or sslmode=require), or set database.without_tls = true if the way is safe by other means";
    Some((wrong, mend))
}

/// The mail server that a transport speaks to, if TLS is not certain on the way.
fn mail_host_without_tls(transport: &str) -> Option<String> {
    let url = Url::parse(transport).ok().filter(|url| url.scheme() == "smtp")?;
    let is_required = url.query_pairs().any(|(key, value)| key == "tls" && value == "required");
    (!is_required).then(|| url.host_str().unwrap_or_default().to_owned())
}

/// Whether a host's name or address is this machine's own.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = bare.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether only this machine can reach it.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong after this change of the defaults.
    fn faults(change: impl FnOnce(&mut Settings)) -> Vec<Fault> {
        let mut settings = Settings::defaults().unwrap();
        change(&mut settings);
        check(&settings)
    }

    #[test]
    fn the_defaults_are_right() {
        assert_eq!(faults(|_| {}), []);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_name_and_how_to_mend_it() {
        type Change = fn(&mut Settings);
        let smtp = |settings: &mut Settings| settings.letters.transport = "smtps://me:s3cret@mail.example.com".into();
        let table: [(Change, &str, &str); 29] = [
            (|s| s.server.public_url = "book.example.com".into(), "server.public_url", "no URL"),
            (|s| s.server.public_url = "localhost:3000".into(), "server.public_url", "does not begin with https://"),
            (|s| s.server.public_url = "ftp://example.com".into(), "server.public_url", "does not begin with https://"),
            (|s| s.server.public_url = "http://me:s3cret@127.0.0.1".into(), "server.public_url", "a user or a password"),
            (|s| s.server.public_url = "http://127.0.0.1/?a=b".into(), "server.public_url", "does not bear"),
            (|s| s.server.public_url.clear(), "server.public_url", "is empty"),
            (|s| s.server.public_url = "https://book.example.com".into(), "letters.transport", "codes would lie in files"),
            (|s| s.server.public_url = "http://192.168.1.5:3000".into(), "letters.transport", "files_in_production"),
            (
                |s| {
                    s.server.public_url = "https://book.example.com".into();
                    s.letters.transport = "memory:".into();
                },
                "letters.transport",
                "memory:",
            ),
            (|s| s.server.connections_max = 0, "server.connections_max", "less than 1"),
            (|s| s.server.header_timeout_s = 0, "server.header_timeout_s", "less than 1"),
            (|s| s.server.request_timeout_s = 0, "server.request_timeout_s", "less than 1"),
            (|s| s.server.connections_per_address_max = 0, "server.connections_per_address_max", "less than 1"),
            (|s| s.server.drain_s = u64::MAX, "server.drain_s", "more than an hour"),
            (|s| s.server.body_bytes_max = 0, "server.body_bytes_max", "less than 1"),
            (|s| s.database.connections = 0, "database.connections", "less than 1"),
            (|s| s.sign_in.access_token_min = -5, "sign_in.access_token_min", "less than 1"),
            (|s| s.sign_in.staff_session_days_max = 0, "sign_in.staff_session_days_max", "less than 1"),
            (|s| s.letters.parallel = 0, "letters.parallel", "less than 1"),
            (|s| s.server.worker_port = s.server.port, "server.worker_port", "port of its own"),
            (|s| s.sign_in.argon2_passes = 0, "sign_in.argon2_memory_kib", "argon2_passes"),
            (|s| s.data.directory = "".into(), "data.directory", "is empty"),
            (|s| s.sign_in.assetlinks = "{".into(), "sign_in.assetlinks", "no JSON"),
            (|s| s.server.private_port = s.server.port, "server.private_port", "as server.port"),
            (|s| s.database.url = "postgres://me:s3cret@db.internal/releve".into(), "database.url", "db.internal without certain TLS"),
            (|s| s.database.url = "postgresql://me:s3cret@10.0.0.7/releve?sslmode=prefer".into(), "database.url", "10.0.0.7"),
            (|s| s.letters.transport = "smtp://me:s3cret@mail.internal".into(), "letters.transport", "mail.internal without certain TLS"),
            (|s| s.letters.transport = "smtp://mail.internal?tls=opportunistic".into(), "letters.transport", "tls=required"),
            (|s| s.letters.transport = "smtp://[2001:db8::1]:25".into(), "letters.transport", "2001:db8::1"),
        ];
        for (change, setting, wrong) in table {
            let found = faults(change);
            let [fault] = found.as_slice() else { panic!("{setting}: {found:?}") };
            let line = fault.to_string();
            assert_eq!(fault.setting, setting);
            assert!(line.contains(wrong) && !fault.mend.is_empty() && !line.contains("s3cret"), "{line}");
        }
        let from = faults(|settings| {
            settings.server.public_url = "https://book.example.com".into();
            smtp(settings);
        });
        assert_eq!(from.iter().map(|fault| fault.setting).collect::<Vec<_>>(), ["letters.from"], "{from:?}");
        let line = faults(|settings| settings.database.connections = 0)[0].to_string();
        assert_eq!(line, "database.connections (RELEVE__DATABASE__CONNECTIONS) is less than 1: write 1 or more, or leave it out");
    }

    #[test]
    fn tls_is_needed_beyond_this_machine_alone() {
        for url in [
            "postgres://me@127.0.0.1/releve",
            "postgres://me@localhost/releve?sslmode=disable",
            "postgres://me@[::1]/releve",
            "postgres:///releve?host=/run/postgresql",
            "postgres://me@db.internal/releve?sslmode=require",
            "postgres://me@db.internal/releve?sslmode=verify-full",
            "sqlite:x.db",
        ] {
            assert_eq!(faults(|settings| settings.database.url = url.into()), [], "{url}");
        }
        for transport in
            ["smtp://localhost:2525", "smtp://127.0.0.1", "smtp://[::1]", "smtps://mail.internal", "smtp://mail.internal?tls=required"]
        {
            assert_eq!(faults(|settings| settings.letters.transport = transport.into()), [], "{transport}");
        }
        let meant = faults(|settings| {
            settings.database.url = "postgres://me@db.internal/releve".into();
            settings.database.without_tls = true;
            settings.letters.transport = "smtp://mail.internal".into();
            settings.letters.without_tls = true;
        });
        assert_eq!(meant, []);
    }

    #[test]
    fn letters_may_go_to_files_where_only_this_machine_gets_or_somebody_said_so() {
        for url in ["http://127.0.0.1:3000", "http://localhost:8080", "http://[::1]:3000", "http://studio.localhost"] {
            assert_eq!(faults(|settings| settings.server.public_url = url.into()), [], "{url}");
        }
        let meant = faults(|settings| {
            settings.server.public_url = "https://staging.example.com".into();
            settings.letters.files_in_production = true;
        });
        assert_eq!(meant, []);
    }
}

//! The settings of a deployment: `config/default.toml` < a file < the environment.
//!
//! `environment` refuses variables whose names are misspelt, `check` what can be seen to be wrong with the values.

pub mod check;
mod environment;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use chrono::TimeDelta;
use config::{Config, ConfigError, Environment, File, FileFormat};
use ipnet::IpNet;
use serde::Deserialize;
use url::Url;

/// Every setting; `config/default.toml` says what each means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Settings {
    pub server: Server,
    pub database: Database,
    pub data: Data,
    pub sign_in: SignIn,
    pub letters: Letters,
    pub time: Time,
    pub log: Log,
}

/// How the process listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Server {
    pub address: IpAddr,
    pub port: u16,
    pub worker_port: u16,
    pub private_port: u16,
    pub public_url: String,
    pub connections_max: usize,
    pub connections_per_address_max: usize,
    pub keep_alive_s: u64,
    pub header_timeout_s: u64,
    pub request_timeout_s: u64,
    pub write_timeout_s: u64,
    pub drain_s: u64,
    pub body_bytes_max: usize,
    pub trusted_proxies: Vec<Proxy>,
    pub cors_origins: Vec<Origin>,
    pub embed_origins: Vec<Origin>,
}

impl Server {
    /// Whether this is a proxy that is trusted to say whose requests it forwards.
    pub fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|proxy| proxy.is(address))
    }

    /// Who may frame the schedule that is made for other websites, as a browser is told (CSP, `frame-ancestors`).
    pub fn framed_by(&self) -> String {
        match &self.embed_origins[..] {
            [] => "*".to_owned(),
            named => named.iter().map(Origin::as_str).collect::<Vec<_>>().join(" "),
        }
    }

    /// Takes over the address that was bound, since port 0 asks for any. A derived public URL follows.
    pub fn bound_to(&mut self, address: SocketAddr) {
        let derived = url_of(self.address, self.port);
        self.port = address.port();
        if self.public_url == derived {
            self.public_url = url_of(self.address, self.port);
        }
    }
}

fn url_of(address: IpAddr, port: u16) -> String {
    format!("http://{}", SocketAddr::new(address, port))
}

/// A proxy, or a network of proxies.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Proxy(IpNet);

impl Proxy {
    /// Whether `address` is this proxy.
    pub fn is(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl TryFrom<String> for Proxy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Proxy {
    type Err = String;

    /// `10.0.0.1` or `10.0.0.0/8`. A network that is not written from its first address is more likely a slip than meant.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let network: IpNet = match text.parse::<IpAddr>() {
            Ok(address) => address.into(),
            Err(_) => text.parse().map_err(|_| format!("{text:?} is neither an address (10.0.0.1) nor a network (10.0.0.0/8)"))?,
        };
        if network.trunc() != network {
            return Err(format!(
                "{text:?} is an address within a network: write {} for the network or {} for the one",
                network.trunc(),
                network.addr()
            ));
        }
        if network.prefix_len() == 0 {
            return Err(format!("{text:?} is everybody, who could then call themselves anybody: name the proxies alone"));
        }
        Ok(Self(network))
    }
}

/// The origin of a web page, as a browser spells it: `https://app.example.com`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(String);

impl Origin {
    /// As a browser spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "*" || text == "null" {
            return Err(format!("{text:?} is everybody: name the origins alone, such as https://app.example.com"));
        }
        let url = Url::parse(text).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let origin = url.map(|url| url.origin().ascii_serialization());
        match origin {
            Some(origin) if origin == text => Ok(Self(origin)),
            Some(origin) => Err(format!("{text:?} is no origin: write {origin}")),
            None => Err(format!("{text:?} is no origin, such as https://app.example.com")),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Database {
    pub url: String,
    pub connections: u32,
    pub migrate_on_start: bool,
    pub without_tls: bool,
}

/// Where the process keeps its files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Data {
    pub directory: PathBuf,
}

/// Keys, tokens, passwords.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct SignIn {
    pub keys: Vec<String>,
    pub access_token_min: i64,
    pub argon2_memory_kib: u32,
    pub argon2_passes: u32,
    pub second_factor: RequiredOf,
    pub passkey_domain: String,
    pub passkey_origins: Vec<String>,
    pub session_days_max: i64,
    pub staff_session_days_max: i64,
    pub apple_app_site_association: String,
    pub assetlinks: String,
}

/// Of whom the deployment requires a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequiredOf {
    /// Of nobody, unless a studio requires it of its admins.
    Optional,
    /// Of owners.
    Owner,
    /// Of owners, and of the admins of every studio.
    Admins,
}

impl SignIn {
    /// For how long a device stays signed in at most, however often it is used.
    pub fn session_life(&self, is_staff: bool) -> TimeDelta {
        let days = if is_staff { self.staff_session_days_max } else { self.session_days_max };
        TimeDelta::days(days.clamp(0, SESSION_DAYS_MAX))
    }
}

/// No session lasts longer, in days: a hundred years overflow nothing.
const SESSION_DAYS_MAX: i64 = 36_525;

impl std::fmt::Debug for SignIn {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// How letters are sent.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Letters {
    pub transport: String,
    pub authorities_file: PathBuf,
    pub from: String,
    pub parallel: usize,
    pub files_in_production: bool,
    pub without_tls: bool,
}

impl std::fmt::Debug for Letters {
    /// Without the transport, whose URL has a password in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letters").field("from", &self.from).field("parallel", &self.parallel).finish_non_exhaustive()
    }
}

/// Which time zone data is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Time {
    pub zone_data: String,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Log {
    pub filter: String,
    pub format: String,
}

const DEFAULTS: &str = include_str!("../../config/default.toml");

impl Settings {
    /// The defaults, as compiled in.
    pub fn defaults() -> Result<Self, ConfigError> {
        let defaults = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build()?;
        Ok(defaults.try_deserialize::<Self>()?.derived())
    }

    /// The defaults, then `file` if one is named, then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut variables = HashMap::new();
        for (name, value) in std::env::vars_os() {
            // A name that is not UTF-8 is not one of ours.
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(variables.insert(name, value)),
                Err(_) if name == "DATABASE_URL" || name.starts_with("RELEVE") => {
                    return Err(ConfigError::Message(format!("the environment variable {name} is not UTF-8")));
                }
                Err(_) => {}
            }
        }
        Self::load_from(file, variables)
    }

    /// The same with these in place of the process's environment.
    fn load_from(file: Option<&Path>, variables: HashMap<String, String>) -> Result<Self, ConfigError> {
        let said = variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let defaults = Self::default_values()?;
        environment::check(said, &environment::names(&defaults)).map_err(ConfigError::Message)?;
        let database_url = variables.get("DATABASE_URL").filter(|url| !url.is_empty()).cloned();
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(file) = file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        let environment = Environment::with_prefix("RELEVE")
            .prefix_separator("__")
            .separator("__")
            .list_separator(",")
            .try_parsing(true)
            .ignore_empty(true)
            .source(Some(variables));
        let environment = environment::lists(&defaults).iter().fold(environment, |all, list| all.with_list_parse_key(list));
        builder = builder.add_source(environment);
        if let Some(url) = database_url {
            builder = builder.set_override("database.url", url)?;
        }
        Ok(builder.build()?.try_deserialize::<Self>()?.derived())
    }

    /// The defaults as a tree of names and values.
    fn default_values() -> Result<serde_json::Value, ConfigError> {
        Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml)).build()?.try_deserialize()
    }

    /// Derives one setting from another: links go where the process listens, as long as only this machine can reach it.
    fn derived(mut self) -> Self {
        let server = &mut self.server;
        server.public_url.truncate(server.public_url.trim_end_matches('/').len());
        if server.public_url.is_empty() && server.address.is_loopback() {
            server.public_url = url_of(server.address, server.port);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    fn load(file: Option<&Path>, variables: &[(&str, &str)]) -> Result<Settings, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::load_from(file, variables).map_err(|error| error.to_string())
    }

    /// Every setting as its variable would say it.
    fn as_variables(prefix: &str, value: &Value, into: &mut BTreeMap<String, String>) {
        let text = match value {
            Value::Object(map) => {
                for (name, value) in map {
                    as_variables(&format!("{prefix}__{}", name.to_uppercase()), value, into);
                }
                return;
            }
            Value::Array(all) => all.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        into.insert(prefix.to_owned(), text);
    }

    #[test]
    fn the_example_lists_every_setting_with_its_default() {
        let defaults = Settings::default_values().unwrap();
        let mut expected = BTreeMap::new();
        as_variables("RELEVE", &defaults, &mut expected);
        let mut names = environment::names(&defaults);
        names.sort();
        assert_eq!(names, expected.keys().cloned().collect::<Vec<_>>());
        let example = include_str!("../../.env.example").lines().filter_map(|line| line.strip_prefix("#RELEVE__")?.split_once('='));
        let example: BTreeMap<String, String> =
            example.map(|(name, value)| (format!("RELEVE__{name}"), value.trim_matches('"').to_owned())).collect();
        assert_eq!(example, expected);
    }

    #[test]
    fn the_example_for_production_is_right() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/production.toml");
        let letters = [("RELEVE__LETTERS__TRANSPORT", "smtps://me:secret@mail.example.com")];
        let settings = load(Some(&file), &letters).unwrap();
        assert_eq!(settings.log.format, "json");
        assert_eq!(check::check(&settings), []);
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_file_before_the_defaults() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.toml");
        std::fs::write(&file, "[server]\nport = 4000\nconnections_max = 7\n").unwrap();
        let variables = [
            ("RELEVE__SERVER__PORT", "5000"),
            ("RELEVE__SERVER__TRUSTED_PROXIES", "10.0.0.0/8,::1"),
            ("RELEVE__SIGN_IN__KEYS", ""),
            ("RELEVE__SERVER__PUBLIC_URL", "https://book.example/"),
            ("RELEVE_PORT", "tcp://10.0.0.1:3000"),
            ("DATABASE_URL", "sqlite:x.db"),
        ];
        let settings = load(Some(&file), &variables).unwrap();
        assert_eq!(settings.server.port, 5000);
        assert_eq!(settings.server.connections_max, 7);
        assert_eq!(settings.server.body_bytes_max, 65_536);
        assert_eq!(settings.server.public_url, "https://book.example");
        assert_eq!(settings.server.trusted_proxies.len(), 2);
        assert!(settings.sign_in.keys.is_empty());
        assert_eq!(settings.database.url, "sqlite:x.db");
    }

    #[test]
    fn unknown_keys_are_refused() {
        for (name, value) in [("RELEVE__SERVER__PROT", "1"), ("RELEVE_SERVER_PORT", "1"), ("RELEVE__SERVER__PORT", "many")] {
            let refused = load(None, &[(name, value)]).unwrap_err();
            assert!(refused.contains("RELEVE__SERVER__PORT") || refused.contains("server.port"), "{name}={value}: {refused}");
        }
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.toml");
        std::fs::write(&file, "[log]\nlevel = \"debug\"\n").unwrap();
        let refused = load(Some(&file), &[]).unwrap_err();
        assert!(refused.contains("level") && refused.contains("log"), "{refused}");
    }

    #[test]
    fn proxies_are_addresses_or_networks() {
        let said = |text: &str| load(None, &[("RELEVE__SERVER__TRUSTED_PROXIES", text)]).map(|settings| settings.server.trusted_proxies);
        let trusted = said("10.0.0.0/8, 192.0.2.7,fd00::/8").unwrap();
        let is = |address: &str| trusted.iter().any(|proxy| proxy.is(address.parse().unwrap()));
        assert!(is("10.1.2.3") && is("192.0.2.7") && is("fd12::1") && !is("192.0.2.8"));
        for (wrong, why) in [
            ("10.0.0.0/40", "neither an address"),
            ("proxy.internal", "neither an address"),
            ("10.0.0.5/8", "write 10.0.0.0/8 for the network"),
            ("0.0.0.0/0", "everybody"),
        ] {
            let refused = said(wrong).unwrap_err();
            assert!(refused.contains(why) && refused.contains("server.trusted_proxies"), "{wrong}: {refused}");
        }
    }

    #[test]
    fn origins_are_those_of_browsers() {
        let said = |text: &str| load(None, &[("RELEVE__SERVER__CORS_ORIGINS", text)]).map(|settings| settings.server.cors_origins);
        let named = said("https://app.example.com, http://localhost:5173").unwrap();
        assert_eq!(named.iter().map(Origin::as_str).collect::<Vec<_>>(), ["https://app.example.com", "http://localhost:5173"]);
        for (wrong, why) in [
            ("*", "everybody"),
            ("null", "everybody"),
            ("https://app.example.com/", "write https://app.example.com"),
            ("https://APP.example.com", "write https://app.example.com"),
            ("app.example.com", "no origin"),
            ("file:///x", "no origin"),
        ] {
            let refused = said(wrong).unwrap_err();
            assert!(refused.contains(why) && refused.contains("server.cors_origins"), "{wrong}: {refused}");
        }
    }

    #[test]
    fn the_public_url_follows_a_loopback_address() {
        let url = |variables: &[(&str, &str)]| load(None, variables).unwrap().server.public_url;
        assert_eq!(url(&[]), "http://127.0.0.1:3000");
        assert_eq!(url(&[("RELEVE__SERVER__PORT", "8080")]), "http://127.0.0.1:8080");
        assert_eq!(url(&[("RELEVE__SERVER__ADDRESS", "::1")]), "http://[::1]:3000");
        assert_eq!(url(&[("RELEVE__SERVER__ADDRESS", "0.0.0.0")]), "", "nobody knows where that is");
        assert_eq!(url(&[("RELEVE__SERVER__PORT", "8080"), ("RELEVE__SERVER__PUBLIC_URL", "http://localhost/")]), "http://localhost");

        let mut server = load(None, &[("RELEVE__SERVER__PORT", "0")]).unwrap().server;
        server.bound_to("127.0.0.1:4567".parse().unwrap());
        assert_eq!((server.port, server.public_url.as_str()), (4567, "http://127.0.0.1:4567"));
        let mut server = load(None, &[("RELEVE__SERVER__PUBLIC_URL", "https://book.example")]).unwrap().server;
        server.bound_to("127.0.0.1:4567".parse().unwrap());
        assert_eq!(server.public_url, "https://book.example");
    }
}

//! The settings of a deployment: `config/default.toml` < a file < the environment.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat};
use ipnet::IpNet;
use serde::Deserialize;

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
    pub log: Log,
}

/// How the process listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Server {
    pub address: IpAddr,
    pub port: u16,
    pub public_url: String,
    pub connections_max: usize,
    pub header_timeout_s: u64,
    pub request_timeout_s: u64,
    pub body_bytes_max: usize,
    pub trusted_proxies: Vec<Proxy>,
}

/// A proxy's address or network.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub enum Proxy {
    /// `10.0.0.0/8`
    Network(IpNet),
    /// `10.0.0.1`
    Address(IpAddr),
}

impl Proxy {
    /// Whether `address` is this proxy.
    pub fn is(&self, address: IpAddr) -> bool {
        match self {
            Self::Network(network) => network.contains(&address),
            Self::Address(own) => *own == address,
        }
    }
}

/// Which database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Database {
    pub url: String,
    pub connections: u32,
    pub migrate_on_start: bool,
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
    pub apple_app_site_association: String,
    pub assetlinks: String,
}

impl std::fmt::Debug for SignIn {
    /// Without the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// How letters leave.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Letters {
    pub transport: String,
    pub from: String,
    pub parallel: usize,
}

impl std::fmt::Debug for Letters {
    /// Without the transport, whose URL has a password in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letters").field("from", &self.from).field("parallel", &self.parallel).finish_non_exhaustive()
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml has a line of why for each")]
pub struct Log {
    pub filter: String,
    pub format: String,
}

impl Settings {
    /// The defaults, as compiled in.
    pub fn defaults() -> Result<Self, config::ConfigError> {
        Config::builder().add_source(File::from_str(include_str!("../config/default.toml"), FileFormat::Toml)).build()?.try_deserialize()
    }

    /// The defaults, then `file` if one is named, then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, config::ConfigError> {
        let mut builder = Config::builder().add_source(File::from_str(include_str!("../config/default.toml"), FileFormat::Toml));
        if let Some(file) = file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        // A single underscore would catch what orchestrators inject for a service named `releve` (RELEVE_PORT=tcp://…).
        let environment = Environment::with_prefix("RELEVE")
            .prefix_separator("__")
            .separator("__")
            .list_separator(",")
            .with_list_parse_key("sign_in.keys")
            .with_list_parse_key("server.trusted_proxies")
            .try_parsing(true);
        builder = builder.add_source(environment);
        if let Ok(url) = std::env::var("DATABASE_URL") {
            builder = builder.set_override("database.url", url)?;
        }
        let mut settings: Self = builder.build()?.try_deserialize()?;
        while settings.server.public_url.ends_with('/') {
            settings.server.public_url.pop();
        }
        Ok(settings)
    }
}

//! The settings of a deployment: `config/default.toml` < a file < the environment.

use std::collections::HashMap;
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
    pub worker_port: u16,
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
}

impl Server {
    /// Whether this is a proxy whose word about others is believed.
    pub fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted_proxies.iter().any(|proxy| proxy.is(address))
    }
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
    pub authorities_file: PathBuf,
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
        Self::load_from(file, None, std::env::var("DATABASE_URL").ok())
    }

    /// The same with `environment` in place of the process's own, if given.
    fn load_from(
        file: Option<&Path>,
        environment: Option<HashMap<String, String>>,
        database_url: Option<String>,
    ) -> Result<Self, config::ConfigError> {
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
            .try_parsing(true)
            .ignore_empty(true)
            .source(environment);
        builder = builder.add_source(environment);
        if let Some(url) = database_url.filter(|url| !url.is_empty()) {
            builder = builder.set_override("database.url", url)?;
        }
        let mut settings: Self = builder.build()?.try_deserialize()?;
        while settings.server.public_url.ends_with('/') {
            settings.server.public_url.pop();
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Option<HashMap<String, String>> {
        Some(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
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
        let defaults = Config::builder().add_source(File::from_str(include_str!("../config/default.toml"), FileFormat::Toml));
        let defaults: Value = defaults.build().unwrap().try_deserialize().unwrap();
        let mut expected = BTreeMap::new();
        as_variables("RELEVE", &defaults, &mut expected);
        let example = include_str!("../.env.example").lines().filter_map(|line| line.strip_prefix("#RELEVE__")?.split_once('='));
        let example: BTreeMap<String, String> =
            example.map(|(name, value)| (format!("RELEVE__{name}"), value.trim_matches('"').to_owned())).collect();
        assert_eq!(example, expected);
    }

    #[test]
    fn the_example_for_production_is_right() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/production.toml");
        let settings = Settings::load_from(Some(&file), environment(&[]), None).unwrap();
        assert_eq!(settings.log.format, "json");
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
        ];
        let settings = Settings::load_from(Some(&file), environment(&variables), Some("sqlite:x.db".into())).unwrap();
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
        for (name, value) in [("RELEVE__SERVER__PROT", "1"), ("RELEVE__SEVER__PORT", "1"), ("RELEVE__SERVER__PORT", "many")] {
            assert!(Settings::load_from(None, environment(&[(name, value)]), None).is_err(), "{name}={value}");
        }
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.toml");
        std::fs::write(&file, "[log]\nlevel = \"debug\"\n").unwrap();
        assert!(Settings::load_from(Some(&file), environment(&[]), None).is_err());
    }
}

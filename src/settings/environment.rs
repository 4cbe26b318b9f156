//! The names of environment variables: a misspelt one would be ignored in silence, so it is refused with the spelling that was meant.

use serde_json::Value;

/// Variables that are ours but not settings of `config/default.toml`.
const OTHERS: [&str; 1] = ["RELEVE_CONFIG"];

/// Every setting's variable, `RELEVE__SECTION__NAME`, as the defaults list them.
pub fn names(defaults: &Value) -> Vec<String> {
    let mut names = Vec::new();
    gather("RELEVE", defaults, &mut names);
    names
}

fn gather(prefix: &str, value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| gather(&format!("{prefix}__{}", name.to_uppercase()), value, into)),
        _ => into.push(prefix.to_owned()),
    }
}

/// Settings that are lists, `section.name`: a variable has their entries with commas between them.
pub fn lists(defaults: &Value) -> Vec<String> {
    let sections = defaults.as_object().into_iter().flatten();
    let named = sections.flat_map(|(section, names)| names.as_object().into_iter().flatten().map(move |entry| (section, entry)));
    named.filter(|(_, (_, value))| value.is_array()).map(|(section, (name, _))| format!("{section}.{name}")).collect()
}

/// Refuses a variable that begins with `RELEVE` and is not one of ours. Empty ones count as not there, as everywhere.
pub fn check<'a>(variables: impl Iterator<Item = (&'a str, &'a str)>, known: &[String]) -> Result<(), String> {
    for (name, value) in variables {
        let upper = name.to_uppercase();
        if !upper.starts_with("RELEVE") || value.is_empty() {
            continue;
        }
        let is_ours = known.contains(&upper) || OTHERS.contains(&upper.as_str());
        if !is_ours && !is_injected(&upper, value) {
            let meant = meant(&upper, known).map_or_else(String::new, |meant| format!(": {meant} is the name"));
            return Err(format!("the environment variable {name} is no setting, and would be ignored{meant} (.env.example lists all)"));
        }
    }
    Ok(())
}

/// Kubernetes tells every container about the services of its namespace, among them one named `releve` or `releve-server`:
/// `RELEVE_SERVICE_HOST`, `RELEVE_SERVICE_PORT_HTTP`, `RELEVE_PORT=tcp://10.0.0.1:3000`, `RELEVE_PORT_3000_TCP_ADDR`.
fn is_injected(name: &str, value: &str) -> bool {
    if name.starts_with("RELEVE__") {
        return false;
    }
    let of_a_port = |rest: &str| {
        let mut parts = rest.split('_');
        let number = parts.next().is_some_and(|number| number.parse::<u16>().is_ok());
        number && parts.next().is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && value.contains("://"))
        || name.split_once("_PORT_").is_some_and(|(_, rest)| of_a_port(rest))
}

/// The setting whose name, in whole or in its last part, is nearest to this one, underscores aside.
fn meant<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    let bare = |name: &str| name.trim_start_matches("RELEVE").replace('_', "");
    let said = bare(name);
    let distance = |known: &str| {
        let last = known.rsplit("__").next().unwrap_or_default();
        strsim::osa_distance(&said, &bare(known)).min(strsim::osa_distance(&said, &bare(last)))
    };
    let all = known.iter().map(String::as_str).chain(OTHERS);
    let (distance, nearest) = all.map(|known| (distance(known), known)).min()?;
    (distance * 3 <= said.len()).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn refusal(name: &str, value: &str) -> Option<String> {
        let known = names(&Settings::default_values().unwrap());
        check([("PATH", "/bin"), (name, value)].into_iter(), &known).err()
    }

    #[test]
    fn a_misspelt_name_is_told_with_the_right_one() {
        for (wrong, right) in [
            ("RELEVE_SERVER_PORT", "RELEVE__SERVER__PORT"),
            ("RELEVE_PORT", "RELEVE__SERVER__PORT"),
            ("RELEVE__PORT", "RELEVE__SERVER__PORT"),
            ("RELEVE__SERVER_PORT", "RELEVE__SERVER__PORT"),
            ("releve_server_port", "RELEVE__SERVER__PORT"),
            ("RELEVE__SEVER__PORT", "RELEVE__SERVER__PORT"),
            ("RELEVE_PUBLIC_URL", "RELEVE__SERVER__PUBLIC_URL"),
            ("RELEVE_DATABASE_URL", "RELEVE__DATABASE__URL"),
            ("RELEVE_SIGN_IN_KEYS", "RELEVE__SIGN_IN__KEYS"),
            ("RELEVE__SIGNIN__KEYS", "RELEVE__SIGN_IN__KEYS"),
            ("RELEVE_LOG_FORMATT", "RELEVE__LOG__FORMAT"),
        ] {
            let refused = refusal(wrong, "8080").unwrap_or_else(|| panic!("{wrong} is taken"));
            assert!(refused.contains(&format!("variable {wrong} ")) && refused.contains(&format!(": {right} is the name")), "{refused}");
        }
        let refused = refusal("RELEVE_SOMETHING_ELSE_ALTOGETHER", "x").unwrap();
        assert!(!refused.contains("is the name") && refused.contains(".env.example"), "{refused}");
    }

    #[test]
    fn what_is_right_or_not_ours_is_taken() {
        for (name, value) in [
            ("RELEVE__SERVER__PORT", "8080"),
            ("RELEVE_CONFIG", "/etc/releve/releve.toml"),
            ("RELEVE_SERVER_PORT", ""),
            ("RELEVE_PORT", "tcp://10.96.0.7:3000"),
            ("RELEVE_SERVICE_HOST", "10.96.0.7"),
            ("RELEVE_SERVICE_PORT", "3000"),
            ("RELEVE_SERVICE_PORT_HTTP", "3000"),
            ("RELEVE_PORT_3000_TCP", "tcp://10.96.0.7:3000"),
            ("RELEVE_PORT_3000_TCP_PROTO", "tcp"),
            ("RELEVE_PORT_3000_TCP_PORT", "3000"),
            ("RELEVE_PORT_3000_TCP_ADDR", "10.96.0.7"),
            // Of a service named releve-server.
            ("RELEVE_SERVER_PORT", "tcp://10.96.0.8:80"),
            ("RELEVE_SERVER_SERVICE_HOST", "10.96.0.8"),
        ] {
            assert_eq!(refusal(name, value), None, "{name}={value}");
        }
    }
}

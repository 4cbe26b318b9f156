//! What an operator reads about a PostgreSQL server that does not let Relevé in, or is not fit for it.

use releve::commands::{Place, migrate};
use releve::settings::Settings;

use crate::postgres::Cluster;

/// A URL with one of its parameters set.
fn with(url: &str, name: &str, value: &str) -> String {
    let (head, query) = url.split_once('?').unwrap();
    let others = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}=")));
    format!("{head}?{}", others.chain([format!("{name}={value}").as_str()]).collect::<Vec<_>>().join("&"))
}

/// Opens and migrates what this URL names; what is said when that fails.
async fn told(url: &str) -> String {
    let mut settings = Settings::defaults().unwrap();
    settings.database.url = url.into();
    match migrate::run(&settings).await {
        Ok(()) => format!("{} was taken", Place::of(&settings).unwrap()),
        Err(failure) => failure.why,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_heard_in_its_own_words() {
    let Some(cluster) = Cluster::shared() else { return };
    let (name, url) = cluster.empty_database().await;
    for statement in [
        "CREATE ROLE stranger LOGIN",
        "CREATE ROLE hasty LOGIN SUPERUSER",
        "ALTER ROLE hasty SET synchronous_commit = off",
        "CREATE ROLE secretive LOGIN PASSWORD 's3cret'",
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    ] {
        cluster.execute(statement.into()).await;
    }
    cluster.ask_for_password("secretive").await;

    let nowhere = "postgres://releve:s3cret@127.0.0.1:1/releve?sslmode=disable".to_owned();
    let table = [
        (
            with(&with(&url, "user", "secretive"), "password", "wr0ng"),
            "password authentication failed for user \"secretive\" (28P01)",
            "stand in DATABASE_URL",
        ),
        (with(&url, "user", "nobody"), "role \"nobody\" does not exist (28000)", "stand in DATABASE_URL"),
        (with(&url, "dbname", "nothing"), "database \"nothing\" does not exist (3D000)", "createdb --owner"),
        (with(&url, "user", "stranger"), "permission denied for schema public (42501)", "OWNER TO"),
        (with(&url, "user", "hasty"), "synchronous_commit is off", "could be lost"),
        (with(&url, "dbname", "latin"), "its encoding is LATIN1", "--encoding=UTF8"),
        (nowhere, "127.0.0.1:1: Connection refused", "is PostgreSQL running"),
        (with(&url, "host", "/nowhere"), "/nowhere", "DATABASE_URL"),
        ("postgres://releve@127.0.0.1:99999/releve".into(), "cannot open", "invalid port"),
    ];
    for (url, words, mend) in table {
        let told = told(&url).await;
        assert!(told.contains(words) && told.contains(mend), "{url}:\n{told}");
        for noise in ["at line", "timed out", "error returned from", "s3cret", "wr0ng"] {
            assert!(!told.contains(noise), "{noise}: {told}");
        }
    }
    assert!(told(&url).await.ends_with("was taken"));
    cluster.drop_database(&name).await;
}

//! What is known of a request whether or not anybody is signed in: where it comes from, its language, its id.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use super::limits::network;
use crate::app::App;
use crate::events::Actor;
use crate::extract::{Concerns, RequestId, header_text};
use crate::handler_signature::{Argument, Signature};
use crate::ids::new_id;
use crate::language::Language;
use crate::security::Mark;
use crate::settings::Proxy;

/// The proxies that a request may have passed; what stands before is anybody's invention.
const HOPS_MAX: usize = 16;

/// Whoever sent a request.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// From which network: what limits per address count.
    pub from: IpAddr,
    /// The language that `Accept-Language` asks for, if it is one of ours.
    pub language: Option<Language>,
    /// The request, for the log of events.
    pub request_id: String,
    network: Mark,
    concerns: Concerns,
}

impl Visitor {
    /// Says which address it is about, for what is noticed if it is refused.
    pub fn means(&self, email_key: &str) {
        self.concerns.address(email_key);
    }

    /// What the log of events says of somebody who is not signed in.
    pub fn actor(&self) -> Actor {
        Actor { request_id: Some(self.request_id.clone()), network: Some(self.network), ..Actor::default() }
    }

    /// What the log of events says once it is known who it is.
    pub fn actor_of(&self, person_id: uuid::Uuid) -> Actor {
        Actor { person_id: Some(person_id), ..self.actor() }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let client = client_of(parts, app);
        Ok(Self {
            from: network(client),
            language: asked_language(&parts.headers),
            request_id: request_id(parts, app),
            network: app.keys.mark_network(client),
            concerns: parts.extensions.get().cloned().unwrap_or_default(),
        })
    }
}

impl Argument for Visitor {
    fn describe(_: &mut Signature) {}
}

/// The language that the request asks for.
pub fn asked_language(headers: &HeaderMap) -> Option<Language> {
    header_text(headers, "accept-language").and_then(Language::of_header)
}

/// The request's id; a new one where the server's front has not given it one.
pub fn request_id(parts: &Parts, app: &App) -> String {
    match parts.extensions.get::<RequestId>() {
        Some(RequestId(id)) => id.clone(),
        None => new_id(app.clock.now()).to_string(),
    }
}

/// Whose request it is.
pub fn client_of(parts: &Parts, app: &App) -> IpAddr {
    client_ip(&parts.extensions, &parts.headers, &app.settings.server.trusted_proxies)
}

/// Whose request it is: the peer's, or, where the peer is a trusted proxy, the last in `X-Forwarded-For` that is none.
pub fn client_ip(extensions: &Extensions, headers: &HeaderMap, trusted: &[Proxy]) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let is_trusted = |address: IpAddr| trusted.iter().any(|proxy| proxy.is(address));
    let mut client = peer.to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().rev();
    let hops = forwarded.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',').rev());
    for hop in hops.take(HOPS_MAX) {
        if !is_trusted(client) {
            break;
        }
        // A proxy that is believed and writes nonsense: what it is itself is all that is known.
        let Some(address) = address_of(hop.trim()) else { break };
        client = address;
    }
    client
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip())).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        let trusted: Vec<Proxy> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        client_ip(&extensions, &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted = &["10.0.0.0/8"];
        assert_eq!(client("203.0.113.9", &["198.51.100.1"], trusted), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"], trusted), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["6.6.6.6, 198.51.100.1"], trusted), "198.51.100.1", "the first is the client's invention");
        assert_eq!(client("10.0.0.1", &["6.6.6.6", "198.51.100.1, 10.2.3.4"], trusted), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:4711"], trusted), "2001:db8::1");
        assert_eq!(client("::ffff:10.0.0.1", &["198.51.100.1:99"], trusted), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, unknown"], trusted), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[], trusted), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"], &["10.0.0.1"]), "198.51.100.1");
    }
}

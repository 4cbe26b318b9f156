//! What search engines read of a schedule and of a class: schema.org in JSON-LD, which is data in a page and never runs.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::language::Language;
use crate::schedule::{Session, SessionStatus};
use crate::studios::Studio;

/// The studio as a place to go to, with its classes of these days.
pub fn studio(studio: &Studio, sessions: &[Session], url: &str, language: Language, now: DateTime<Utc>) -> String {
    let mut place = place(studio, url);
    place["@context"] = json!("https://schema.org");
    place["event"] = sessions.iter().map(|session| event_alone(studio, session, url, language, now)).collect();
    text(&place)
}

/// One class.
pub fn event(of: &Studio, session: &Session, url: &str, language: Language, now: DateTime<Utc>) -> String {
    let mut event = event_alone(of, session, url, language, now);
    event["@context"] = json!("https://schema.org");
    event["location"] = place(of, url);
    text(&event)
}

fn place(studio: &Studio, url: &str) -> Value {
    let mut place = json!({"@type": "SportsActivityLocation", "name": studio.name, "url": format!("{url}/s/{}", studio.id)});
    if let Some(address) = &studio.address {
        place["address"] = json!(address);
    }
    if let Some(contact) = &studio.contact {
        place["email"] = json!(contact);
    }
    place
}

fn event_alone(studio: &Studio, session: &Session, url: &str, language: Language, now: DateTime<Utc>) -> Value {
    let zone = studio.time_zone.tz();
    let wall = |at: DateTime<Utc>| crate::zones::wall(at, zone).to_rfc3339();
    let status = if session.status == SessionStatus::Cancelled { "EventCancelled" } else { "EventScheduled" };
    let address = studio.address.as_deref().unwrap_or(&studio.name);
    json!({
        "@type": "Event",
        "name": session.names.class_name.read(language),
        "startDate": wall(session.starts_at),
        "endDate": wall(session.ends_at),
        "eventStatus": format!("https://schema.org/{status}"),
        "eventAttendanceMode": "https://schema.org/OfflineEventAttendanceMode",
        "performer": {"@type": "Person", "name": session.names.instructor_name},
        "organizer": {"@type": "Organization", "name": studio.name, "url": format!("{url}/s/{}", studio.id)},
        "location": {"@type": "Place", "name": studio.name, "address": address},
        "maximumAttendeeCapacity": session.capacity,
        "remainingAttendeeCapacity": crate::schedule::places_left(session, now),
        "url": format!("{url}/s/{}/classes/{}", studio.id, session.id),
    })
}

/// As it may stand in a page: nothing in it ends the element that holds it.
fn text(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_the_element() {
        let text = text(&json!({"name": "</script><b>&"}));
        assert!(!text.contains(['<', '>', '&']));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["name"], "</script><b>&");
    }
}

//! What a change would do to others, in words: shown before it is done.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::frame::Shell;
use super::roster;
use super::words::planning;
use crate::app::App;
use crate::problem::Answer;
use crate::schedule::{Session, store};
use crate::transactor::Preview;

/// What comes of a change.
pub struct Consequences {
    /// Whose booking becomes what.
    pub bookings: Vec<Consequence>,
    /// How many stay what they are, and until when those are free to cancel from then on.
    pub kept: Option<String>,
    /// Who is written to.
    pub told: Vec<String>,
    /// How many they are, as a sentence.
    pub told_in_words: String,
    /// Classes that are left out, each with the reason.
    pub skipped: Vec<(String, &'static str)>,
}

/// What would become of one booking.
pub struct Consequence {
    pub name: String,
    /// Of which class, where several change.
    pub class: Option<String>,
    pub before: Option<&'static str>,
    pub after: &'static str,
    pub returned: i64,
}

impl Consequences {
    /// As this reader gets it.
    pub async fn of(app: &App, preview: Preview, shell: &Shell) -> Answer<Self> {
        let touched: BTreeSet<Uuid> = preview.bookings.iter().map(|change| change.session_id).collect();
        let skipped = preview.skipped.iter().map(|skipped| skipped.session_id);
        let named: Vec<Uuid> = touched.iter().copied().filter(|_| touched.len() > 1).chain(skipped).collect();
        let names = names(app, &named, shell).await?;
        let state = |status| roster::state(status, false, false, false, shell.w);
        let (kept, changed): (Vec<_>, Vec<_>) =
            preview.bookings.into_iter().partition(|change| change.status_before == Some(change.status));
        // Whoever booked a moment ago may have longer: it is said only where it holds for all.
        let untils: BTreeSet<_> = kept.iter().map(|change| change.free_cancel_until).collect();
        let until = untils.first().copied().flatten().filter(|_| untils.len() == 1).map(|until| shell.day_and_time(until));
        let bookings = changed.into_iter().map(|change| Consequence {
            name: change.name,
            class: names.get(&change.session_id).cloned(),
            before: change.status_before.map(state),
            after: state(change.status),
            returned: change.credits_returned,
        });
        let told: BTreeSet<(String, Uuid)> = preview.told.into_iter().map(|letter| (letter.name, letter.person_id)).collect();
        let skipped = preview
            .skipped
            .iter()
            .filter_map(|skipped| Some((names.get(&skipped.session_id)?.clone(), planning::left_out(skipped.because, shell.language))));
        Ok(Self {
            bookings: bookings.collect(),
            kept: (!kept.is_empty()).then(|| planning::bookings_stay(kept.len(), until.as_deref(), shell.language)),
            told_in_words: planning::written_to(told.len(), shell.language),
            told: told.into_iter().map(|(name, _)| name).collect(),
            skipped: skipped.collect(),
        })
    }
}

/// `Barre Sculpt · Tue 1 Dec, 18:30`, of each of these sessions.
async fn names(app: &App, ids: &[Uuid], shell: &Shell) -> Answer<HashMap<Uuid, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut tx = app.db.read().await?;
    let sessions = store::among(&mut tx, ids).await?;
    tx.rollback().await;
    Ok(sessions.iter().map(|session| (session.id, title(session, shell))).collect())
}

/// `Barre Sculpt · Tue 1 Dec, 18:30`.
pub fn title(session: &Session, shell: &Shell) -> String {
    let (names, starts_at) = (&session.names, session.starts_at);
    format!("{} · {}", names.class_name.read(shell.language), shell.day_and_time(starts_at))
}

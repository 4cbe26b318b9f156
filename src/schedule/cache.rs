//! The public schedule, encoded and kept for at most a second: answering it costs no query and no serialisation.
//!
//! It is what everybody without a token reads, so an entry is known by the key alone: the studio, the text behind the `?`, the language
//! asked for. While one request makes an entry the others of that key wait for it, so that an expired entry costs one query. A member reads
//! the same bytes with their own bookings inserted: at noon, when booking opens, everybody looks.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Me, SessionView};
use crate::etag::Encoded;
use crate::language::Language;
use crate::problem::{Answer, Problem};

/// How old an answer may be.
const AGE_MAX: Duration = Duration::from_secs(1);
/// The most addresses known at once.
const ADDRESSES_MAX: usize = 1_024;
/// The most bytes of answers kept.
const BYTES_MAX: usize = 32 << 20;
/// The longest text behind a `?` that is remembered.
const QUERY_BYTES_MAX: usize = 512;

/// How the JSON of a session ends that the reader is not in: `me` is its last member.
const NOT_IN_IT: &[u8] = b"null}";

/// A page of the schedule, encoded for everybody.
#[derive(Clone, Debug)]
pub struct Page {
    /// As readers without a token see it.
    pub public: Encoded,
    /// Each session with the position behind its closing brace, in order.
    sessions: Arc<[(Uuid, usize)]>,
    /// When the first of them begins, and the last.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Page {
    /// Encodes sessions in their order, and the cursor of the next page.
    pub fn of<'a>(sessions: impl Iterator<Item = SessionView<'a>>, next: Option<&str>) -> Answer<Self> {
        let mut bytes = br#"{"sessions":["#.to_vec();
        let (mut ends, mut span) = (Vec::new(), None);
        for session in sessions {
            if !ends.is_empty() {
                bytes.push(b',');
            }
            serde_json::to_writer(&mut bytes, &session).map_err(Problem::fault)?;
            ends.push((session.id, bytes.len()));
            span = Some((span.map_or(session.starts_at, |(first, _)| first), session.starts_at));
        }
        bytes.extend_from_slice(br#"],"next":"#);
        serde_json::to_writer(&mut bytes, &next).map_err(Problem::fault)?;
        bytes.push(b'}');
        Ok(Self { public: Encoded::of_json(bytes)?, sessions: ends.into(), span })
    }

    /// A page for people, made for everybody who is not signed in.
    pub fn of_text(text: String) -> Answer<Self> {
        Ok(Self { public: Encoded::of_text(text)?, sessions: [].into(), span: None })
    }

    /// The same with a reader's own bookings, by session.
    pub fn with(&self, mut mine: HashMap<Uuid, Me<'_>>) -> Answer<Encoded> {
        let public = self.public.as_bytes();
        let mut bytes = Vec::with_capacity(public.len() + 128 * mine.len());
        let mut copied = 0;
        for (id, end) in self.sessions.iter() {
            let Some(me) = mine.remove(id) else { continue };
            let open = end - NOT_IN_IT.len();
            bytes.extend_from_slice(&public[copied..open]);
            serde_json::to_writer(&mut bytes, &me).map_err(Problem::fault)?;
            bytes.push(b'}');
            copied = *end;
        }
        bytes.extend_from_slice(&public[copied..]);
        Encoded::of_json(bytes)
    }
}

/// The key of a kept answer: what somebody without a token asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    /// Whose schedule.
    pub studio_id: Uuid,
    /// The text behind the `?`.
    pub query: String,
    /// The language asked for; `None`: the studio's.
    pub language: Option<Language>,
}

/// Encoded answers by key.
#[derive(Debug, Default)]
pub struct ScheduleCache {
    slots: Mutex<HashMap<CacheKey, Arc<Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    ready: RwLock<Option<Ready>>,
    making: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Ready {
    body: Page,
    made_at: Instant,
    as_of: DateTime<Utc>,
}

impl ScheduleCache {
    /// The answer at this key, at most a second old; made by `make` if there is none.
    pub async fn get<F>(&self, key: CacheKey, now: DateTime<Utc>, make: impl FnOnce(CacheKey) -> F) -> Answer<Page>
    where
        F: Future<Output = Answer<Page>>,
    {
        if key.query.len() > QUERY_BYTES_MAX {
            return make(key).await;
        }
        let slot = self.slot(&key, now);
        if let Some(body) = slot.fresh(now) {
            return Ok(body);
        }
        let _making = slot.making.lock().await;
        if let Some(body) = slot.fresh(now) {
            return Ok(body);
        }
        let made_at = Instant::now();
        let body = make(key).await?;
        if self.has_room(body.public.size(), now) {
            *slot.ready.write().unwrap_or_else(PoisonError::into_inner) = Some(Ready { body: body.clone(), made_at, as_of: now });
        }
        Ok(body)
    }

    fn slot(&self, key: &CacheKey, now: DateTime<Utc>) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        if slots.len() >= ADDRESSES_MAX {
            slots.retain(|_, slot| slot.is_of_use(now));
            if slots.len() >= ADDRESSES_MAX {
                // Nobody reads these addresses twice: answers being made are finished, but not found again.
                slots.clear();
            }
        }
        Arc::clone(slots.entry(key.clone()).or_default())
    }

    /// Forgets what is old, and says whether this many more bytes may be kept.
    fn has_room(&self, bytes: usize, now: DateTime<Utc>) -> bool {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| slot.is_of_use(now));
        slots.values().map(|slot| slot.size()).sum::<usize>() + bytes <= BYTES_MAX
    }
}

impl Slot {
    fn fresh(&self, now: DateTime<Utc>) -> Option<Page> {
        let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
        ready.as_ref().filter(|ready| ready.is_fresh(now)).map(|ready| ready.body.clone())
    }

    /// Fresh, or in use.
    fn is_of_use(self: &Arc<Self>, now: DateTime<Utc>) -> bool {
        Arc::strong_count(self) > 1 || self.fresh(now).is_some()
    }

    fn size(&self) -> usize {
        self.ready.read().unwrap_or_else(PoisonError::into_inner).as_ref().map_or(0, |ready| ready.body.public.size())
    }
}

impl Ready {
    /// By the machine's time and by the [`Clock`](crate::clock::Clock): setting a clock makes nothing old look new.
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.made_at.elapsed() < AGE_MAX && (now - self.as_of).abs() < TimeDelta::seconds(1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn key(n: u128) -> CacheKey {
        CacheKey { studio_id: Uuid::from_u128(n), query: String::new(), language: None }
    }

    fn now() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    /// Without sessions.
    fn page(next: &str) -> Answer<Page> {
        Page::of(std::iter::empty(), Some(next))
    }

    #[tokio::test]
    async fn many_readers_cost_one_making() {
        let (cache, made) = (ScheduleCache::default(), AtomicUsize::new(0));
        let read = || {
            cache.get(key(1), now(), |_| async {
                made.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                page("schedule")
            })
        };
        let answers = futures_util::future::join_all((0..100).map(|_| read())).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn what_is_old_is_made_again_and_what_fails_is_not_kept() {
        use crate::problem::ProblemType;
        let cache = ScheduleCache::default();
        let first = cache.get(key(1), now(), |_| async { Err(Problem::new(ProblemType::NotFound)) }).await;
        assert!(first.is_err());
        cache.get(key(1), now(), |_| async { page("1") }).await.unwrap();
        let later = now() + TimeDelta::seconds(1);
        let made = AtomicUsize::new(0);
        cache
            .get(key(1), later, |_| async {
                made.fetch_add(1, Ordering::SeqCst);
                page("2")
            })
            .await
            .unwrap();
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn addresses_without_end_find_an_end() {
        let cache = ScheduleCache::default();
        for n in 0..3_000 {
            cache.get(key(n), now(), |_| async { page(&"x".repeat(100_000)) }).await.unwrap();
        }
        let slots = cache.slots.lock().unwrap();
        assert!(slots.len() <= ADDRESSES_MAX);
        assert!(slots.values().map(|slot| slot.size()).sum::<usize>() <= BYTES_MAX);
    }
}

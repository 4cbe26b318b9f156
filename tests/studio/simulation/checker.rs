//! The promises, checked on rows by code that does not know how they are kept.

use std::collections::HashMap;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Timelike as _, Utc};
use releve::booking::terms::LateCancel;
use releve::booking::view::CancelNow;
use releve::booking::{Booking, BookingStatus, EndedBy};
use releve::holds::Hold;
use releve::passes::{LedgerEntry, Pass};
use releve::penalties::{Forgiven, Penalty, PenaltyKind};
use releve::problem::Answer;
use releve::schedule::SessionRow;
use releve::transactor::{Outcome, Request};
use serde_json::Value;
use uuid::Uuid;

use super::said::caps;
use super::{Month, Rows};

/// The same PUT again answers with the booking as it is now, and makes none.
pub fn check_repeats(lost: &[Request], again: &[Answer<Outcome>], rows: &Rows<'_>) {
    for (command, answer) in lost.iter().zip(again) {
        let Ok(Outcome::Booking(shown)) = answer else { panic!("{command:?}, sent again, was answered with {answer:?}") };
        let now = rows.bookings.iter().find(|booking| booking.id == shown.booking.id);
        assert_eq!((Some(&&shown.booking), shown.fresh), (now, false), "{command:?}, sent again");
    }
}

pub fn check_session(session: &SessionRow, here: &[&Booking], rows: &Rows<'_>, now: DateTime<Utc>) {
    let taken = here.iter().filter(|booking| holds_place(booking)).count() as i64;
    let waiting = here.iter().filter(|booking| booking.status == BookingStatus::Waitlisted).count() as i64;
    assert!(taken + session.held <= session.capacity, "oversold: {session:?}");
    assert_eq!((session.taken, session.waiting), (taken, waiting), "counts of {session:?}");
    let running: Vec<&&Hold> = rows.holds.iter().filter(|hold| hold.session_id == session.id && hold.ended_at.is_none()).collect();
    assert_eq!(session.held, running.iter().map(|hold| hold.places).sum::<i64>(), "held in {session:?}");
    let overdue = running.iter().find(|hold| hold.until.is_some_and(|until| until.min(session.starts_at) <= now));
    assert!(overdue.is_none(), "held on at {now}: {overdue:?} of {session:?}");
    assert!(running.is_empty() || !session.is_cancelled(), "held in a cancelled session: {running:?}");
    let mut people: Vec<Uuid> =
        here.iter().filter(|booking| !has_ended(booking) && booking.guest_of.is_none()).map(|booking| booking.person_id).collect();
    people.sort_unstable();
    assert!(people.windows(2).all(|pair| pair[0] != pair[1]), "twice in {session:?}");
    for guest in here.iter().filter(|booking| booking.guest_of.is_some() && !has_ended(booking)) {
        let host = here.iter().find(|booking| Some(booking.id) == guest.guest_of && booking.person_id == guest.person_id);
        // Either place may have been given away at the door: who is there, and who is not, is told of each of them.
        let was_in_it = |host: &&Booking| matches!(host.status, BookingStatus::Booked | BookingStatus::Attended | BookingStatus::NoShow);
        assert!(host.filter(|host| was_in_it(host)).is_some(), "a guest without a host: {guest:?} beside {host:?}");
    }
    let arrived = here.iter().find(|b| b.arrived_at.is_some() && b.status != BookingStatus::Attended && !has_ended(b));
    assert!(arrived.is_none(), "has arrived and is not there: {arrived:?}");
    if session.is_cancelled() {
        let kept = here.iter().find(|booking| !has_ended(booking) || booking.credits > 0 || booking.visit_week.is_some());
        assert!(kept.is_none(), "kept in a cancelled session: {kept:?}");
    }
}

/// Whether a free place of this session must be given, offered or kept at this instant for somebody who waits: `own` are their bookings.
pub fn must_be_served(session: &SessionRow, own: &[&Booking], rows: &Rows<'_>, month: &Month) -> bool {
    let (now, said, of) = (month.now, &month.said, session.class_type_id);
    let quiet_until = said.quiet_until(now);
    let offers_end = session.starts_at - said.minutes(of, "offers_until_min", 45);
    let offer_fits = quiet_until.unwrap_or(now) + said.minutes(of, "offer_min", 30) <= offers_end;
    if said.minutes_if_any(of, "waitlist_closes_min").is_some_and(|before| session.starts_at - before <= now) {
        return false;
    }
    let served = if now < session.promote_until {
        // Where a pass has a free way out of its own, what the place would cost is not judged here.
        let no_grace = |until| said.minutes(of, "grace_promotion_min", 15).is_zero() || session.starts_at < until;
        let costs = |until| said.some_pass_frees() || (session.free_cancel_until < until && no_grace(until));
        !turned_down(session, own) && (!quiet_until.is_some_and(costs) || offer_fits)
    } else {
        match said.word(of, "after_cutoff") {
            Some("offers") => offer_fits,
            Some("notify_all" | "staff") => now < offers_end && session.kept_until.is_none_or(|until| until <= now),
            _ => false,
        }
    };
    served && able(session, own, rows, month) && !suspended(session, own, rows, month)
}

fn turned_down(session: &SessionRow, own: &[&Booking]) -> bool {
    own.iter().any(|b| b.session_id == session.id && b.promoted_at.is_some() && b.ended_by == Some(EndedBy::Member))
}

/// Whether they wait with somebody who waits with them.
fn waits_in_pair(waiter: &Booking, here: &[&Booking]) -> bool {
    let named = |b: &Booking| b.conditions.as_ref().and_then(|conditions| conditions.with);
    here.iter().any(|b| named(waiter) == Some(b.id) && named(b) == Some(waiter.id) && b.status == BookingStatus::Waitlisted)
}

/// Whether a waiting member would take a place now: what they would give up for it is free to cancel, they have said nothing against it, and
/// wait with nobody.
pub fn would_take(waiter: &Booking, session: &SessionRow, here: &[&Booking], own: &[&Booking], month: &Month) -> bool {
    let (now, said) = (month.now, &month.said);
    // The first member's own quiet hours are those of a nap.
    if waiter.person_id == month.cast.members[0] && (13..15).contains(&said.wall(now).hour()) {
        return false;
    }
    if waits_in_pair(waiter, here) {
        return false;
    }
    let keeps = |b: &&&Booking| match b.status {
        BookingStatus::Booked => b.starts_at <= now || b.free_cancel_until.is_none_or(|until| until < now),
        BookingStatus::Attended | BookingStatus::NoShow => true,
        _ => false,
    };
    let old = own.iter().filter(|b| Some(b.id) == waiter.asked_replaces && now < b.ends_at);
    let has_guests = own.iter().any(|b| b.guest_of.is_some() && b.guest_of == waiter.asked_replaces && !has_ended(b));
    if has_guests || old.filter(keeps).count() > 0 {
        return false;
    }
    let Some(conditions) = &waiter.conditions else { return true };
    let that_day = |b: &&&Booking| b.studio_id == session.studio_id && said.day(b.starts_at) == said.day(session.starts_at);
    let another = own.iter().filter(that_day).any(|b| holds_place(b) && b.session_id != session.id);
    let notice = conditions.notice_minutes_min.map(|minutes| session.starts_at - TimeDelta::minutes(minutes));
    [notice, conditions.not_after].into_iter().flatten().all(|until| now <= until) && !(conditions.one_a_day && another)
}

/// Whether a member who waits could take a place at this instant, by all that is known of them but the caps of days, weeks and months.
pub fn could_take(waiter: &Booking, session: &SessionRow, here: &[&Booking], own: &[&Booking], rows: &Rows<'_>, month: &Month) -> bool {
    would_take(waiter, session, here, own, month)
        && !turned_down(session, own)
        && able(session, own, rows, month)
        && !suspended(session, own, rows, month)
}

/// Who was given or offered a place before somebody who has waited longer: these could not take it, and it is written down why. `waited` is
/// who waited before this step, at which key, and whether they could have taken a place then.
pub fn check_queue(
    session: &SessionRow,
    here: &[&Booking],
    of_person: &HashMap<Uuid, Vec<&Booking>>,
    waited: &HashMap<Uuid, (i64, bool)>,
    rows: &Rows<'_>,
    month: &Month,
) {
    let by_themselves = |b: &&&Booking| b.promoted_at == Some(month.now) && b.moved_up_reason.is_none() && holds_place(b);
    for served in here.iter().filter(by_themselves) {
        let Some((key, _)) = waited.get(&served.id) else { continue };
        let waits = |b: &&&Booking| b.status == BookingStatus::Waitlisted && !waits_in_pair(b, here);
        for longer in here.iter().filter(waits) {
            let Some((_, could)) = waited.get(&longer.id).filter(|(before, _)| before < key) else { continue };
            assert!(longer.passed_over.is_some(), "passed over without a reason: {longer:?} for {served:?}");
            let could = *could && could_take(longer, session, here, &of_person[&longer.person_id], rows, month);
            assert!(!could, "passed over, although they could have taken it: {longer:?} for {served:?}");
        }
    }
}

/// What was given up for another booking has ended, and that one is the same member's and had asked for it.
pub fn check_changes_of_class(rows: &Rows<'_>) {
    for old in &rows.bookings {
        let Some(by) = old.replaced_by else { continue };
        let new = rows.bookings.iter().find(|booking| booking.id == by);
        if new.is_none() && !rows.whole {
            continue;
        }
        let asked = new.is_some_and(|new| new.person_id == old.person_id && new.asked_replaces == Some(old.id));
        assert!(asked && has_ended(old) && old.ended_by == Some(EndedBy::Replaced), "{old:?} was given up for {new:?}");
    }
}

/// A visitor is a person of their own who has a place or had one, pays with nothing and is written to by nobody.
pub fn check_visitors(rows: &Rows<'_>) {
    for booking in rows.bookings.iter().filter(|booking| booking.visitor_source.is_some()) {
        let waits = matches!(booking.status, BookingStatus::Waitlisted | BookingStatus::Offered | BookingStatus::Standby);
        let theirs = booking.person_id == booking.id && booking.pass_id.is_none() && booking.letters == 0;
        assert!(theirs && !waits, "a visitor's: {booking:?}");
    }
}

/// Whether somebody who waits for this session could take a place in it.
fn able(session: &SessionRow, own: &[&Booking], rows: &Rows<'_>, month: &Month) -> bool {
    let Some(owner) = own.first().map(|booking| booking.person_id) else { return false };
    if own.iter().any(|b| holds_place(b) && b.starts_at < session.ends_at && session.starts_at < b.ends_at) {
        return false;
    }
    let own: Vec<&Booking> = own.iter().chain(rows.past.iter().filter(|b| b.person_id == owner)).copied().collect();
    let monday = session.local_date - Days::new(u64::from(session.local_date.weekday().num_days_from_monday()));
    let pays = |pass: &&&Pass| {
        let frozen = pass.frozen().is_some_and(|(from, until)| from <= session.local_date && session.local_date <= until);
        let on = session.local_date;
        is_theirs(pass, owner, month)
            && pass.ended_at.is_none()
            && !frozen
            && pass.starts_on.is_none_or(|first| first <= on)
            && on <= pass.expires_on
            && pass.studio_ids.contains(&session.studio_id)
            && pass.class_type_ids.as_ref().is_none_or(|only| only.contains(&session.class_type_id))
    };
    rows.passes.iter().filter(pays).any(|pass| {
        // Whoever came: a family shares its visits.
        let all = rows.bookings.iter().chain(&rows.elsewhere).chain(&rows.past);
        let visits = all.filter(|b| b.pass_id == Some(pass.id) && b.visit_week == Some(monday)).count() as i64;
        let room = pass.credits_left.map_or_else(|| pass.per_week.is_none_or(|most| visits < most), |left| left >= session.credits);
        room && caps_leave_one(session, &own, pass, rows, month)
    })
}

/// Whether somebody may pay with a pass: it is their own, or whoever holds it shares it, and one of the two acts for the other.
fn is_theirs(pass: &Pass, person_id: Uuid, month: &Month) -> bool {
    pass.person_id == person_id || (pass.shared_at.is_some() && month.is_family(pass.person_id, person_id))
}

/// Whatever was paid for in this step was paid by a pass of the member's own, or by one that their family shared with them just then. What
/// was paid before stays so, whoever shares what by now.
pub fn check_who_pays(rows: &Rows<'_>, month: &Month) {
    let passes: HashMap<Uuid, &Pass> = rows.passes.iter().map(|pass| (pass.id, *pass)).collect();
    for booking in rows.bookings.iter().filter(|booking| holds_place(booking)) {
        let paid_now = booking.pass_id.filter(|id| month.paid_by.get(&booking.id).copied().flatten() != Some(*id));
        let Some(pass) = paid_now.and_then(|id| passes.get(&id)) else { continue };
        assert!(is_theirs(pass, booking.person_id, month), "paid by a pass that is nobody's of theirs: {booking:?} {pass:?}");
    }
}

/// Which of somebody's places are counted.
type Counts<'a> = &'a dyn Fn(&Booking) -> bool;

/// Whether every cap leaves a member one more place: the studio's counts all that they have there, a class type's those of that type, a pass
/// type's those that such a pass pays.
fn caps_leave_one(session: &SessionRow, own: &[&Booking], pass: &Pass, rows: &Rows<'_>, month: &Month) -> bool {
    let said = &month.said;
    let (of_class, of_pass) = (said.of_class_type.get(&session.class_type_id), said.of_pass_type.get(&pass.pass_type_id));
    let extra = [of_pass, of_class, Some(&said.house)].into_iter().flatten().find_map(|rules| rules["promoted_extra"].as_i64());
    let counted = |b: &&Booking| holds_place(b) && b.guest_of.is_none() && b.studio_id == session.studio_id && b.session_id != session.id;
    let places: Vec<&Booking> = own.iter().copied().filter(counted).collect();
    let (on, day) = (session.local_date, |b: &Booking| said.day(b.starts_at));
    let ahead = |b: &Booking| matches!(b.status, BookingStatus::Booked | BookingStatus::Offered) && b.starts_at > month.now;
    let same_week = |b: &Booking| said.week(day(b)) == said.week(on);
    let same_month = |b: &Booking| (day(b).year(), day(b).month()) == (on.year(), on.month());
    let within: [Counts<'_>; 4] = [&ahead, &|b| day(b) == on, &same_week, &same_month];
    let leaves_one = |rules: Option<&Value>, ahead_usual, of: Counts<'_>| {
        caps(rules, ahead_usual).into_iter().zip(within).all(|(max, within)| {
            let count = places.iter().filter(|b| of(b) && within(b)).count() as i64;
            max.is_none_or(|max| count < max + extra.unwrap_or(0))
        })
    };
    let sold_as = |b: &Booking| {
        let paid_by = rows.passes.iter().find(|other| b.pass_id == Some(other.id)).map(|other| other.pass_type_id);
        paid_by.or_else(|| month.sold_as.get(&b.pass_id?).copied())
    };
    leaves_one(Some(&said.house), Some(20), &|_| true)
        && leaves_one(of_class, None, &|b| month.class_of(b.session_id) == session.class_type_id)
        && leaves_one(of_pass, None, &|b| sold_as(b) == Some(pass.pass_type_id))
}

/// Whether the strikes of somebody who waits may keep them from it.
fn suspended(session: &SessionRow, own: &[&Booking], rows: &Rows<'_>, month: &Month) -> bool {
    if month.said.house["strikes_max"].is_null() {
        return false;
    }
    let owner = own.first().map(|booking| booking.person_id);
    owner.is_some_and(|owner| month.said.may_be_suspended(&strikes_of(owner, rows), session.starts_at, month.now))
}

/// When the strikes of somebody were made that were not taken back.
fn strikes_of(person_id: Uuid, rows: &Rows<'_>) -> Vec<DateTime<Utc>> {
    let theirs = rows.penalties.iter().filter(|one| one.person_id == person_id && one.strike && one.waived_at.is_none());
    theirs.map(|one| one.at).collect()
}

/// A late cancellation took no more than what was read just before the tap that made the booking.
pub fn check_against_the_terms(told: &LateCancel, after: &Booking, penalty: Option<&Penalty>) {
    assert!(after.credits <= told.credits_lost, "dearer than told: {told:?} {after:?}");
    assert!(after.visit_week.is_none() || told.visit_counts, "dearer than told: {told:?} {after:?}");
    let (strike, fee) = (penalty.is_some_and(|one| one.strike), penalty.and_then(|one| one.fee_minor).unwrap_or(0));
    let told_fee = told.fee.as_ref().map_or(0, |fee| fee.amount_minor);
    assert!(fee <= told_fee && (!strike || told.strike), "dearer than told: {told:?} {penalty:?}");
}

/// A cancellation took what was said just before.
pub fn check_what_was_told(told: &CancelNow, after: &Booking, penalty: Option<&Penalty>) {
    assert!(has_ended(after), "{after:?}");
    assert_eq!(told.credits_lost, after.credits, "{told:?} {after:?}");
    let (strike, fee) = (penalty.is_some_and(|one| one.strike), penalty.and_then(|one| one.fee_minor));
    assert_eq!((told.strike, told.fee.as_ref().map(|fee| fee.amount_minor)), (strike, fee), "{told:?} {penalty:?}");
    assert_eq!(told.forgiven, penalty.is_some_and(|one| one.forgiven.is_some()), "{told:?} {penalty:?}");
    let taken = after.credits > 0 || after.visit_week.is_some() || strike || fee.is_some();
    assert_eq!(told.free, !taken, "{told:?} {after:?}");
    assert_eq!(penalty.is_some(), after.status == BookingStatus::LateCancelled, "{after:?} {penalty:?}");
}

/// Every late cancellation has one penalty, every absence that is final one that counts, and nothing else has one that does; as many late
/// cancellations as the rules say are forgiven, and none that costs something before these are used up. An absence never is, but on a day
/// without penalties nothing is taken at all. Strikes and fees are those of this history, and no others.
pub fn check_penalties(rows: &Rows<'_>, month: &Month) {
    let said = &month.said;
    let allowed = said.number("late_cancels_forgiven", 1) as usize;
    let passes: HashMap<Uuid, &Pass> = rows.passes.iter().map(|pass| (pass.id, *pass)).collect();
    let bookings: HashMap<Uuid, &Booking> = rows.bookings.iter().map(|booking| (booking.id, *booking)).collect();
    let mut of_booking: HashMap<Uuid, &Penalty> = HashMap::new();
    let mut taken_back: HashMap<Uuid, &Penalty> = HashMap::new();
    let mut of_month: HashMap<(Uuid, NaiveDate), Vec<&Penalty>> = HashMap::new();
    for penalty in &rows.penalties {
        let first = said.day(penalty.at).with_day(1).unwrap();
        assert_eq!(penalty.month, first, "{penalty:?}");
        let late = penalty.kind == PenaltyKind::LateCancel;
        assert!(late || penalty.forgiven != Some(Forgiven::Month), "{penalty:?}");
        let Some(booking) = bookings.get(&penalty.booking_id) else { panic!("of no booking: {penalty:?}") };
        let counts = said.house["strikes_for"].as_str().is_none_or(|what| what == "both" || (what == "late_cancels") == late);
        // Who was let in at the door had come, and of a visitor nothing is ever taken.
        let costs = !booking.asked_standby && booking.visitor_source.is_none();
        let strikes = said.house["strikes_max"].is_i64() && counts && penalty.forgiven.is_none() && costs;
        assert_eq!(penalty.strike, strikes, "strikes are not those of the history: {penalty:?} {booking:?}");
        of_month.entry((penalty.person_id, first)).or_default().push(penalty);
        // An absence that was corrected has one that counts no more, and so may one that the studio waived.
        if penalty.kind == PenaltyKind::NoShow && penalty.is_waived() {
            taken_back.insert(penalty.booking_id, penalty);
        } else {
            assert!(of_booking.insert(penalty.booking_id, penalty).is_none(), "twice: {penalty:?}");
        }
    }
    for booking in &rows.bookings {
        let penalty = of_booking.remove(&booking.id);
        let absent = booking.status == BookingStatus::NoShow && !booking.provisional;
        let waived = absent && taken_back.contains_key(&booking.id);
        let given_back = taken_back.get(&booking.id).is_some_and(|one| one.waived_by.is_none() || one.waived_reason.is_some());
        assert!(!given_back || (booking.credits == 0 && booking.visit_week.is_none()), "taken back, and kept: {booking:?} {taken_back:?}");
        let has_one = absent || booking.status == BookingStatus::LateCancelled;
        assert!(penalty.is_some() == has_one || waived, "{booking:?} {penalty:?}");
        let Some(penalty) = penalty else { continue };
        assert_eq!(penalty.kind == PenaltyKind::NoShow, absent, "{booking:?} {penalty:?}");
        let kept = booking.credits > 0 || booking.visit_week.is_some();
        assert!(!kept || (penalty.forgiven.is_none() && penalty.waived_at.is_none()), "{booking:?} {penalty:?}");
        let free_day = said.is_penalty_free(said.day(booking.starts_at));
        assert!(!free_day || (!kept && !penalty.strike), "on a day without penalties: {booking:?} {penalty:?}");
        let same = &of_month[&(penalty.person_id, penalty.month)];
        let forgiven = same.iter().filter(|one| one.forgiven == Some(Forgiven::Month) && one.at <= penalty.at).count();
        assert!(absent || !kept || forgiven >= allowed, "{allowed} are forgiven: {booking:?} {same:?}");
        if let Some(pass) = booking.pass_id.and_then(|id| passes.get(&id)) {
            let fee = said.house[if absent { "no_show_fee_minor" } else { "late_cancel_fee_minor" }].as_i64();
            let fee = fee.filter(|_| pass.credits_left.is_none() && penalty.forgiven.is_none() && !booking.asked_standby);
            assert_eq!(penalty.fee_minor, fee, "fees are not those of the history: {booking:?} {penalty:?}");
        }
    }
    assert!(of_booking.is_empty(), "of no booking: {of_booking:?}");
    for same in of_month.values() {
        let forgiven = same.iter().filter(|one| one.forgiven == Some(Forgiven::Month) && one.waived_at.is_none()).count();
        assert!(forgiven <= allowed, "{allowed} are forgiven: {same:?}");
    }
}

/// After a class it is said of everybody whether they came: within two days, whoever has marked whom. Where nobody was marked, nobody is
/// absent.
pub fn check_attendance(session: &SessionRow, here: &[&Booking], now: DateTime<Utc>) {
    let over = session.ends_at + TimeDelta::days(2) <= now && !session.is_cancelled();
    let open = |b: &&&Booking| matches!(b.status, BookingStatus::Booked | BookingStatus::Standby) || b.provisional;
    let left = here.iter().find(open).filter(|_| over);
    assert!(left.is_none(), "two days after {session:?}: {left:?}");
    let at_the_door = here.iter().find(|b| b.status == BookingStatus::Standby && session.ends_at <= now);
    assert!(at_the_door.is_none(), "at the door after {session:?}: {at_the_door:?}");
    let absent_too_soon = here.iter().find(|b| {
        let for_good = b.status == BookingStatus::NoShow && !b.provisional;
        for_good && now < session.ends_at + TimeDelta::hours(2)
    });
    assert!(absent_too_soon.is_none(), "absent within two hours of {session:?}: {absent_too_soon:?}");
    for booking in here {
        let odd = (booking.unrecorded && (booking.status != BookingStatus::Attended || booking.arrived_at.is_some()))
            || (booking.released_at.is_some() && booking.status != BookingStatus::NoShow);
        assert!(!odd, "{booking:?}");
        let waits = booking.status == BookingStatus::Standby;
        assert!(!waits || (booking.credits == 0 && booking.visit_week.is_none()), "at the door, and paid: {booking:?}");
    }
}

/// Whoever is offered a place has one offer whose time is not over, nobody else has, and nothing is taken for it. Nobody is offered what
/// their strikes keep them from.
pub fn check_offers(rows: &Rows<'_>, month: &Month) {
    let now = month.now;
    let running: Vec<_> = rows.offers.iter().filter(|offer| offer.outcome.is_none()).collect();
    for booking in rows.bookings.iter().filter(|booking| booking.status == BookingStatus::Offered) {
        let theirs: Vec<_> = running.iter().filter(|offer| offer.booking_id == booking.id).collect();
        assert!(theirs.len() == 1 && now < theirs[0].expires_at, "{booking:?} is offered a place by {theirs:?} at {now}");
        assert!(booking.credits == 0 && booking.visit_week.is_none(), "{booking:?} is offered a place and paid");
        let suspended = month.said.must_be_suspended(&strikes_of(booking.person_id, rows), booking.starts_at, now);
        assert!(!suspended, "a place is offered to somebody who is suspended: {booking:?} at {now}");
    }
    let offered = rows.bookings.iter().filter(|booking| booking.status == BookingStatus::Offered).count();
    assert_eq!(running.len(), offered, "offers run for nobody: {running:?}");
}

/// What the ledger's entries come to.
#[derive(Default)]
pub struct Accounts {
    of_pass: HashMap<Uuid, i64>,
    /// What each booking took.
    taken: HashMap<Uuid, i64>,
}

impl Accounts {
    pub fn enter(&mut self, entries: &[LedgerEntry]) {
        for entry in entries {
            *self.of_pass.entry(entry.pass_id).or_default() += entry.credits;
            if let Some(booking) = entry.booking_id {
                *self.taken.entry(booking).or_default() -= entry.credits;
            }
        }
    }
}

/// No credit comes from nowhere and none is lost: a balance is what the ledger says, and so is what each booking took.
pub fn check_passes(rows: &Rows<'_>) {
    let Accounts { of_pass, taken } = rows.accounts;
    let mut visits: HashMap<(Uuid, NaiveDate), i64> = HashMap::new();
    for booking in rows.bookings.iter().chain(&rows.elsewhere) {
        assert_eq!(booking.credits, taken.get(&booking.id).copied().unwrap_or(0), "what {booking:?} took");
        let paid = booking.credits > 0 || booking.visit_week.is_some();
        assert!(booking.status != BookingStatus::Waitlisted || !paid, "{booking:?} waits and paid");
        if let Some(week) = booking.pass_id.zip(booking.visit_week) {
            *visits.entry(week).or_default() += 1;
        }
    }
    let mut most: HashMap<Uuid, i64> = HashMap::new();
    for ((pass, _), visits) in visits {
        let most = most.entry(pass).or_default();
        *most = visits.max(*most);
    }
    for pass in &rows.passes {
        let sum = of_pass.get(&pass.id).copied();
        assert!(pass.credits_left.is_none_or(|left| left >= 0 && Some(left) == sum), "balance of {pass:?}, ledger {sum:?}");
        let most = most.get(&pass.id);
        assert!(most.is_none_or(|most| pass.per_week.is_none_or(|allowed| *most <= allowed)), "{most:?} visits in a week of {pass:?}");
    }
}

pub fn never_at_once(what: &str, times: impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)>) {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{what}: {times:?}");
}

pub fn holds_place(booking: &Booking) -> bool {
    let in_it = matches!(booking.status, BookingStatus::Booked | BookingStatus::Offered | BookingStatus::Attended | BookingStatus::NoShow);
    // What was given away at the door is another's.
    in_it && booking.released_at.is_none()
}

pub fn has_ended(booking: &Booking) -> bool {
    matches!(booking.status, BookingStatus::Cancelled | BookingStatus::LateCancelled)
}

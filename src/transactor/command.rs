//! What the transactor can be asked, and which file of which slice decides it.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::preview::{Preview, preview};
use crate::attendance::CheckIn;
use crate::attendance::check_in::check_in;
use crate::attendance::check_in_by_code::{CheckInByCode, check_in_by_code};
use crate::attendance::follow_up::follow_up_attendance;
use crate::attendance::mark_roster::{MarkRoster, mark_roster};
use crate::attendance::walk_in::walk_in;
use crate::booking::accept::accept;
use crate::booking::book::{Book, book};
use crate::booking::cancel::{Cancel, cancel};
use crate::booking::close_waitlist::close_waitlist;
use crate::booking::conditions::Conditions;
use crate::booking::door_release::{ReleaseDoor, release_door};
use crate::booking::expire_offer::expire_offer;
use crate::booking::move_up::{MoveUp, move_up};
use crate::booking::refill::{refill_by_clock, refill_for};
use crate::booking::remind::remind;
use crate::booking::set_conditions::set_conditions;
use crate::booking::snapshot::BookingSnapshot;
use crate::events::Actor;
use crate::holds::end::{expire_hold, release_hold};
use crate::holds::set::{SetHold, set_hold};
use crate::passes::extend::{ExtendPass, extend_pass};
use crate::passes::freeze::{FreezePass, freeze_pass, unfreeze_pass};
use crate::passes::give::{GiveCredits, give_credits};
use crate::passes::notice::tell_ending;
use crate::passes::refund::{RefundPass, refund_pass};
use crate::passes::sell::{SellPass, sell_pass};
use crate::passes::share::share_pass;
use crate::passes::transfer::{TransferPass, transfer_pass};
use crate::penalties::pay::{PayFee, pay_fee};
use crate::penalties::waive::{WaivePenalty, waive_penalty};
use crate::people::erase::erase_person;
use crate::people::join_staff::join_staff;
use crate::people::merge::{MergeMembers, merge_members};
use crate::people::remove::remove_person;
use crate::people::roles::Role;
use crate::people::set_roles::set_roles;
use crate::people::store::Teaching;
use crate::problem::Answer;
use crate::schedule::BulkResult;
use crate::schedule::cancel_session::cancel_session;
use crate::schedule::cancellation::CancelSession;
use crate::schedule::closing_days::{close_days, open_day};
use crate::schedule::copy_days::copy_days;
use crate::schedule::edit_session::edit_session;
use crate::schedule::follow_clocks::follow_clocks;
use crate::schedule::make_session::{MakeSession, make_session};
use crate::schedule::note_session::note_session;
use crate::schedule::publish::{Publish, publish};
use crate::schedule::series::ahead::make_ahead;
use crate::schedule::series::make::{MakeSeries, make_series};
use crate::schedule::session_fields::EditSession;
use crate::schedule::substitutes::commands::{
    AskSubstitute, approve_substitute, ask_substitute, claim_substitute, substitute_due, unclaim_substitute, withdraw_substitute,
};
use crate::schedule::too_few::decide_too_few;
use crate::studios::RulesOf;
use crate::studios::override_rules::{OverrideRules, override_rules};
use crate::studios::set_house_rules::{SetHouseRules, set_house_rules};
use crate::working_set::{Decision, Lookup, WorkingSet};

/// A change that looks at more than the row it writes.
#[derive(Clone, Debug)]
pub enum Command {
    /// Book, or wait.
    Book(Book),
    /// End a booking.
    Cancel(Cancel),
    /// Take an offered place, or, while waiting, a public one.
    Accept { booking_id: Uuid },
    /// Staff give a waiting member a place.
    MoveUp(MoveUp),
    /// The member says on what terms they want to be moved in.
    SetConditions { booking_id: Uuid, conditions: Conditions },
    /// The member came.
    CheckIn { booking_id: Uuid, at: Option<DateTime<Utc>> },
    /// Takes the mark back: the member did not come after all.
    UndoCheckIn { booking_id: Uuid },
    /// Schedule a session.
    MakeSession(MakeSession),
    /// Change a session.
    EditSession(EditSession),
    /// Cancel a session, or what follows it in its series.
    CancelSession(CancelSession),
    /// Write down what the team and the members should know of a session.
    SetNotes { session_id: Uuid, team: Option<String>, members: Option<String> },
    /// Begin a series.
    MakeSeries(MakeSeries),
    /// Sweep: make the sessions of a series that are due.
    MakeAhead { series_id: Uuid },
    /// Show drafts to the members.
    Publish(Publish),
    /// Copy the sessions of some days to others, as drafts.
    CopyDays { studio_id: Uuid, from: NaiveDate, days: u64, to: NaiveDate },
    /// Close a studio on some days.
    CloseDays { studio_id: Uuid, from: NaiveDate, to: NaiveDate, note: Option<String> },
    /// Open it again on one.
    OpenDay { studio_id: Uuid, date: NaiveDate },
    /// Ask for somebody who teaches instead.
    AskSubstitute(AskSubstitute),
    /// Teach in place of the instructor who asked.
    ClaimSubstitute { request_id: Uuid },
    /// Take a claim back.
    UnclaimSubstitute { request_id: Uuid },
    /// An admin decides on a claim.
    ApproveSubstitute { request_id: Uuid, approved: bool },
    /// No substitute is needed any more.
    WithdrawSubstitute { request_id: Uuid },
    /// Sweep: a request goes to the admins, or expires.
    SubstituteDue { request_id: Uuid },
    /// Sweep: tell the instructor that too few have booked so far, or decide.
    DecideTooFew { session_id: Uuid },
    /// Sweep: bring a session back to its wall time, where the law about the clocks has changed.
    FollowClocks { session_id: Uuid },
    /// Sell a pass.
    SellPass(SellPass),
    /// Give credits to a pack.
    GiveCredits(GiveCredits),
    /// Give a pass a later last day.
    ExtendPass(ExtendPass),
    /// Freeze a pass.
    FreezePass(FreezePass),
    /// End its freeze.
    UnfreezePass { pass_id: Uuid },
    /// `PUT`, `DELETE /v1/passes/{id}/sharing`.
    SharePass { pass_id: Uuid, shared: bool },
    /// Make what is left of a pass another's, or another studio's.
    TransferPass(TransferPass),
    /// Take a pass back for money.
    RefundPass(RefundPass),
    /// Sweep: tell the end of a pass ahead.
    TellPassEnding { pass_id: Uuid },
    /// Take a penalty back.
    WaivePenalty(WaivePenalty),
    /// A fee was collected.
    PayFee(PayFee),
    /// Give somebody exactly these roles in a studio; with `leave_sessions` also if sessions to come lose their instructor by it.
    SetRoles { studio_id: Uuid, person_id: Uuid, roles: BTreeSet<Role>, leave_sessions: bool },
    /// Give somebody the roles of the invitation that they accept.
    JoinStaff { invitation_id: Uuid, person_id: Uuid },
    /// Replace a studio's house rules.
    SetHouseRules(Box<SetHouseRules>),
    /// Replace what a class type or a pass type changes about them.
    OverrideRules(Box<OverrideRules>),
    /// Take from everything the name of somebody whom the studio entered and who has no account.
    ErasePerson { studio_id: Uuid, person_id: Uuid },
    /// Give up all that a person has to come, without penalty, and the person's name.
    RemovePerson { person_id: Uuid },
    /// Sweep: serve members who became able by the clock alone.
    Refill { session_id: Uuid },
    /// Serve somebody who says that it is no longer quiet for them.
    RefillFor { person_id: Uuid },
    /// Sweep: the time of an offer is over.
    ExpireOffer { booking_id: Uuid },
    /// Sweep: the waiting is over.
    CloseWaitlist { session_id: Uuid },
    /// Keep places of a session back.
    SetHold(SetHold),
    /// Give them free.
    ReleaseHold { session_id: Uuid, hold_id: Uuid },
    /// Sweep: the time of a hold is over.
    ExpireHold { hold_id: Uuid },
    /// Sweep: what is due about the attendance of a session.
    FollowUpAttendance { session_id: Uuid },
    /// Give unclaimed places to those at the door.
    ReleaseDoor(ReleaseDoor),
    /// Sweep: remind those of their place for whom it is time.
    Remind { session_id: Uuid },
    /// Codes were shown at the door.
    CheckInByCode(CheckInByCode),
    /// Staff went through a roster.
    MarkRoster(MarkRoster),
    /// Somebody came without a booking.
    WalkIn(Book),
    /// Make two entries of one member one.
    MergeMembers(MergeMembers),
}

impl Command {
    /// Its label in `/metrics`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Book(_) => "book",
            Self::Cancel(_) => "cancel",
            Self::Accept { .. } => "accept",
            Self::MoveUp(_) => "move_up",
            Self::SetConditions { .. } => "set_conditions",
            Self::CheckIn { .. } => "check_in",
            Self::UndoCheckIn { .. } => "undo_check_in",
            Self::MakeSession(_) => "make_session",
            Self::EditSession(_) => "edit_session",
            Self::CancelSession(_) => "cancel_session",
            Self::SetNotes { .. } => "set_notes",
            Self::MakeSeries(_) => "make_series",
            Self::MakeAhead { .. } => "make_ahead",
            Self::Publish(_) => "publish",
            Self::CopyDays { .. } => "copy_days",
            Self::CloseDays { .. } => "close_days",
            Self::OpenDay { .. } => "open_day",
            Self::AskSubstitute(_) => "ask_substitute",
            Self::ClaimSubstitute { .. } => "claim_substitute",
            Self::UnclaimSubstitute { .. } => "unclaim_substitute",
            Self::ApproveSubstitute { .. } => "approve_substitute",
            Self::WithdrawSubstitute { .. } => "withdraw_substitute",
            Self::SubstituteDue { .. } => "substitute_due",
            Self::DecideTooFew { .. } => "decide_too_few",
            Self::FollowClocks { .. } => "follow_clocks",
            Self::SellPass(_) => "sell_pass",
            Self::GiveCredits(_) => "give_credits",
            Self::ExtendPass(_) => "extend_pass",
            Self::FreezePass(_) => "freeze_pass",
            Self::UnfreezePass { .. } => "unfreeze_pass",
            Self::SharePass { .. } => "share_pass",
            Self::TransferPass(_) => "transfer_pass",
            Self::RefundPass(_) => "refund_pass",
            Self::TellPassEnding { .. } => "tell_pass_ending",
            Self::WaivePenalty(_) => "waive_penalty",
            Self::PayFee(_) => "pay_fee",
            Self::SetRoles { .. } => "set_roles",
            Self::JoinStaff { .. } => "join_staff",
            Self::SetHouseRules(_) => "set_house_rules",
            Self::OverrideRules(_) => "override_rules",
            Self::ErasePerson { .. } => "erase_person",
            Self::RemovePerson { .. } => "remove_person",
            Self::Refill { .. } => "refill",
            Self::RefillFor { .. } => "refill_for",
            Self::ExpireOffer { .. } => "expire_offer",
            Self::CloseWaitlist { .. } => "close_waitlist",
            Self::SetHold(_) => "set_hold",
            Self::ReleaseHold { .. } => "release_hold",
            Self::ExpireHold { .. } => "expire_hold",
            Self::FollowUpAttendance { .. } => "follow_up_attendance",
            Self::ReleaseDoor(_) => "release_door",
            Self::Remind { .. } => "remind",
            Self::CheckInByCode(_) => "check_in_by_code",
            Self::MarkRoster(_) => "mark_roster",
            Self::WalkIn(_) => "walk_in",
            Self::MergeMembers(_) => "merge_members",
        }
    }
}

/// A command, who asks for it, and whether it is only previewed.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who, from which HTTP request.
    pub actor: Actor,
    pub command: Command,
    /// Only preview its outcome.
    pub dry_run: bool,
}

impl Request {
    /// What the command is known to need before it is decided.
    pub fn lookups(&self) -> Vec<Lookup> {
        let caller = self.actor.person_id;
        // Whether a booking needs to know more about the person depends on the session.
        let known_as = if matches!(self.command, Command::Book(_)) { Lookup::Identity } else { Lookup::Person };
        let mut keys: Vec<Lookup> = caller.map(known_as).into_iter().collect();
        match &self.command {
            Command::Book(ask) | Command::WalkIn(ask) => {
                keys.push(Lookup::Session(ask.session_id));
                keys.extend(caller.map(|caller| Lookup::Booking(ask.id, caller)));
                keys.extend(ask.person_id.map(Lookup::Identity));
                keys.extend(ask.replaces.map(|old| Lookup::Booking(old, Uuid::nil())));
            }
            Command::MoveUp(ask) => keys.extend(caller.map(|caller| Lookup::Booking(ask.booking_id, caller))),
            Command::Cancel(ask) => keys.extend(caller.map(|caller| Lookup::Booking(ask.booking_id, caller))),
            Command::Accept { booking_id }
            | Command::SetConditions { booking_id, .. }
            | Command::CheckIn { booking_id, .. }
            | Command::UndoCheckIn { booking_id } => {
                keys.extend(caller.map(|caller| Lookup::Booking(*booking_id, caller)));
            }
            Command::MakeSession(ask) => {
                keys.extend([
                    Lookup::Studio(ask.studio_id),
                    Lookup::ClassType(ask.class_type_id),
                    Lookup::Room(ask.room_id),
                    Lookup::Person(ask.instructor_id),
                ]);
            }
            Command::EditSession(ask) => {
                keys.push(Lookup::Session(ask.session_id));
                keys.extend(ask.class_type_id.map(Lookup::ClassType));
                keys.extend(ask.room_id.map(Lookup::Room));
                keys.extend(ask.instructor_id.map(Lookup::Person));
            }
            Command::CancelSession(ask) => keys.extend([Lookup::Session(ask.session_id), Lookup::Roster(ask.session_id)]),
            Command::SetNotes { session_id, .. } => keys.push(Lookup::Session(*session_id)),
            Command::MakeSeries(ask) => {
                keys.extend([
                    Lookup::Studio(ask.studio_id),
                    Lookup::ClassType(ask.class_type_id),
                    Lookup::Room(ask.room_id),
                    Lookup::Person(ask.instructor_id),
                    Lookup::ClosingDays(ask.studio_id),
                ]);
            }
            Command::MakeAhead { series_id } => keys.push(Lookup::Series(*series_id)),
            Command::Publish(Publish::Days { studio_id, from, to }) => {
                keys.extend([Lookup::Studio(*studio_id), Lookup::Days(*studio_id, *from, *to)])
            }
            Command::Publish(Publish::Series { series_id }) => {
                keys.extend([Lookup::Series(*series_id), Lookup::SeriesSessions(*series_id)])
            }
            Command::CopyDays { studio_id, .. } | Command::CloseDays { studio_id, .. } | Command::OpenDay { studio_id, .. } => {
                keys.extend([Lookup::Studio(*studio_id), Lookup::ClosingDays(*studio_id)]);
            }
            Command::AskSubstitute(ask) => {
                keys.extend([Lookup::Studio(ask.studio_id), Lookup::Candidates(ask.studio_id)]);
                keys.extend(ask.session_id.map(Lookup::Session));
                keys.extend(ask.dates.map(|(from, to)| Lookup::Days(ask.studio_id, from, to)));
            }
            Command::ClaimSubstitute { request_id }
            | Command::UnclaimSubstitute { request_id }
            | Command::ApproveSubstitute { request_id, .. }
            | Command::WithdrawSubstitute { request_id }
            | Command::SubstituteDue { request_id } => keys.push(Lookup::SubstituteRequest(*request_id)),
            Command::DecideTooFew { session_id } | Command::FollowClocks { session_id } | Command::Remind { session_id } => {
                keys.extend([Lookup::Session(*session_id), Lookup::Roster(*session_id)])
            }
            Command::SellPass(ask) => {
                keys.extend([Lookup::Studio(ask.studio_id), Lookup::PassType(ask.pass_type_id), Lookup::Person(ask.person_id)]);
                keys.extend(caller.map(|caller| Lookup::Idempotency(caller, ask.key.clone())));
            }
            Command::GiveCredits(GiveCredits { pass_id, key, .. }) | Command::RefundPass(RefundPass { pass_id, key, .. }) => {
                keys.push(Lookup::Pass(*pass_id));
                keys.extend(caller.map(|caller| Lookup::Idempotency(caller, key.clone())));
            }
            Command::ExtendPass(ExtendPass { pass_id, .. })
            | Command::FreezePass(FreezePass { pass_id, .. })
            | Command::UnfreezePass { pass_id }
            | Command::SharePass { pass_id, .. }
            | Command::TransferPass(TransferPass { pass_id, .. })
            | Command::TellPassEnding { pass_id } => keys.push(Lookup::Pass(*pass_id)),
            Command::WaivePenalty(ask) => keys.extend([Lookup::Studio(ask.studio_id), Lookup::Penalty(ask.penalty_id)]),
            Command::PayFee(ask) => keys.extend([Lookup::Studio(ask.studio_id), Lookup::Penalty(ask.penalty_id)]),
            Command::SetRoles { studio_id, person_id, .. } => {
                keys.extend([Lookup::Studio(*studio_id), Lookup::Identity(*person_id), Lookup::Teaching(*person_id)]);
            }
            Command::JoinStaff { invitation_id, person_id } => {
                keys.extend([Lookup::Invitation(*invitation_id), Lookup::Identity(*person_id)]);
            }
            Command::SetHouseRules(ask) => keys.push(Lookup::Studio(ask.studio_id)),
            Command::OverrideRules(ask) => {
                keys.push(Lookup::Studio(ask.studio_id));
                keys.push(match ask.of {
                    RulesOf::ClassType(id) => Lookup::ClassType(id),
                    RulesOf::PassType(id) => Lookup::PassType(id),
                });
            }
            Command::ErasePerson { studio_id, person_id } => {
                keys.extend([Lookup::Studio(*studio_id), Lookup::Person(*person_id), Lookup::Teaching(*person_id)]);
            }
            Command::RemovePerson { person_id } => keys.extend([Lookup::Person(*person_id), Lookup::Teaching(*person_id)]),
            Command::Refill { session_id } => {
                keys.extend([Lookup::Session(*session_id), Lookup::Queue(*session_id), Lookup::TurnedDown(*session_id)]);
            }
            Command::RefillFor { person_id } => keys.push(Lookup::Person(*person_id)),
            Command::ExpireOffer { booking_id } => keys.push(Lookup::Booking(*booking_id, Uuid::nil())),
            Command::CloseWaitlist { session_id } => keys.extend([Lookup::Session(*session_id), Lookup::Roster(*session_id)]),
            Command::SetHold(ask) => {
                keys.extend([Lookup::Session(ask.session_id), Lookup::Hold(ask.hold_id), Lookup::Holds(ask.session_id)]);
            }
            Command::ReleaseHold { session_id, hold_id } => keys.extend([Lookup::Session(*session_id), Lookup::Hold(*hold_id)]),
            Command::ExpireHold { hold_id } => keys.push(Lookup::Hold(*hold_id)),
            Command::MergeMembers(ask) => {
                keys.extend([Lookup::Studio(ask.studio_id), Lookup::Person(ask.from), Lookup::Person(ask.into)]);
            }
            Command::FollowUpAttendance { session_id } | Command::ReleaseDoor(ReleaseDoor { session_id, .. }) => {
                keys.extend([Lookup::Session(*session_id), Lookup::Roster(*session_id)]);
            }
            Command::CheckInByCode(ask) => {
                keys.push(Lookup::Studio(ask.studio_id));
                keys.extend(ask.shown.iter().map(|shown| Lookup::CheckIn(shown.id)));
                let bookings = ask.shown.iter().filter_map(|shown| shown.booking_id);
                keys.extend(bookings.map(|id| Lookup::Booking(id, caller.unwrap_or_default())));
            }
            Command::MarkRoster(ask) => keys.extend([Lookup::Session(ask.session_id), Lookup::Roster(ask.session_id)]),
        }
        keys
    }
}

/// The outcome of a command.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// A booking as it is now.
    Booking(Box<BookingSnapshot>),
    /// What was made or changed, by id: a session, a series, a pass.
    Id(Uuid),
    /// Requests for substitutes, by id.
    Ids(Vec<Uuid>),
    /// What became of several sessions at once.
    Bulk(Box<BulkResult>),
    /// What would come of it: nothing was written.
    Preview(Box<Preview>),
    /// Sessions to come that nobody teaches any more.
    Unstaffed(Vec<Teaching>),
    /// What became of each code that was shown.
    CheckIns(Vec<Answer<CheckIn>>),
    /// Nothing to show.
    Done,
}

impl From<BookingSnapshot> for Outcome {
    fn from(snapshot: BookingSnapshot) -> Self {
        Self::Booking(Box::new(snapshot))
    }
}

impl From<Option<BookingSnapshot>> for Outcome {
    fn from(snapshot: Option<BookingSnapshot>) -> Self {
        snapshot.map_or(Self::Done, Self::from)
    }
}

impl From<Uuid> for Outcome {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<Vec<Uuid>> for Outcome {
    fn from(ids: Vec<Uuid>) -> Self {
        Self::Ids(ids)
    }
}

impl From<BulkResult> for Outcome {
    fn from(result: BulkResult) -> Self {
        Self::Bulk(Box::new(result))
    }
}

impl From<Vec<Teaching>> for Outcome {
    fn from(sessions: Vec<Teaching>) -> Self {
        Self::Unstaffed(sessions)
    }
}

impl From<Vec<Answer<CheckIn>>> for Outcome {
    fn from(answers: Vec<Answer<CheckIn>>) -> Self {
        Self::CheckIns(answers)
    }
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Done
    }
}

/// Decides one command on the working set. Pure: what is missing is asked for, what is refused leaves nothing behind.
pub fn decide(set: &mut WorkingSet, request: &Request, now: DateTime<Utc>) -> Decision<Outcome> {
    let mark = set.begin_command(&request.actor);
    match hand_on(set, request, now) {
        Ok(outcome) if request.dry_run => {
            let skipped = if let Outcome::Bulk(result) = outcome { result.skipped } else { Vec::new() };
            let preview = preview(set, mark, skipped);
            set.back_to(mark);
            Ok(Outcome::Preview(Box::new(preview)))
        }
        Ok(outcome) => Ok(outcome),
        Err(abort) => {
            set.back_to(mark);
            Err(abort)
        }
    }
}

/// Which file decides what.
fn hand_on(set: &mut WorkingSet, request: &Request, now: DateTime<Utc>) -> Decision<Outcome> {
    use Command as C;
    let actor = &request.actor;
    Ok(match &request.command {
        C::Book(ask) => book(set, actor, ask, now)?.into(),
        C::Cancel(ask) => cancel(set, actor, ask, now)?.into(),
        C::Accept { booking_id } => accept(set, actor, *booking_id, now)?.into(),
        C::MoveUp(ask) => move_up(set, actor, ask, now)?.into(),
        C::SetConditions { booking_id, conditions } => set_conditions(set, actor, *booking_id, conditions, now)?.into(),
        C::CheckIn { booking_id, at } => check_in(set, actor, *booking_id, true, *at, now)?.into(),
        C::UndoCheckIn { booking_id } => check_in(set, actor, *booking_id, false, None, now)?.into(),
        C::MakeSession(ask) => make_session(set, actor, ask, now)?.into(),
        C::EditSession(ask) => edit_session(set, actor, ask, now)?.into(),
        C::CancelSession(ask) => cancel_session(set, actor, ask, now)?.into(),
        C::SetNotes { session_id, team, members } => note_session(set, actor, *session_id, team, members)?.into(),
        C::MakeSeries(ask) => make_series(set, actor, ask, now)?.into(),
        C::MakeAhead { series_id } => make_ahead(set, *series_id, now)?.into(),
        C::Publish(ask) => publish(set, actor, *ask, now)?.into(),
        C::CopyDays { studio_id, from, days, to } => copy_days(set, actor, *studio_id, *from, *days, *to, now)?.into(),
        C::CloseDays { studio_id, from, to, note } => close_days(set, actor, *studio_id, *from, *to, note.as_deref(), now)?.into(),
        C::OpenDay { studio_id, date } => open_day(set, actor, *studio_id, *date)?.into(),
        C::AskSubstitute(ask) => ask_substitute(set, actor, ask, now)?.into(),
        C::ClaimSubstitute { request_id } => claim_substitute(set, actor, *request_id, now)?.into(),
        C::UnclaimSubstitute { request_id } => unclaim_substitute(set, actor, *request_id)?.into(),
        C::ApproveSubstitute { request_id, approved } => approve_substitute(set, actor, *request_id, *approved, now)?.into(),
        C::WithdrawSubstitute { request_id } => withdraw_substitute(set, actor, *request_id, now)?.into(),
        C::SubstituteDue { request_id } => substitute_due(set, *request_id, now)?.into(),
        C::DecideTooFew { session_id } => decide_too_few(set, *session_id, now)?.into(),
        C::FollowClocks { session_id } => follow_clocks(set, *session_id, now)?.into(),
        C::SellPass(ask) => sell_pass(set, actor, ask, now)?.into(),
        C::GiveCredits(ask) => give_credits(set, actor, ask, now)?.into(),
        C::ExtendPass(ask) => extend_pass(set, actor, ask, now)?.into(),
        C::FreezePass(ask) => freeze_pass(set, actor, ask, now)?.into(),
        C::UnfreezePass { pass_id } => unfreeze_pass(set, actor, *pass_id, now)?.into(),
        C::SharePass { pass_id, shared } => share_pass(set, actor, *pass_id, *shared, now)?.into(),
        C::TransferPass(ask) => transfer_pass(set, actor, ask, now)?.into(),
        C::RefundPass(ask) => refund_pass(set, actor, ask, now)?.into(),
        C::TellPassEnding { pass_id } => tell_ending(set, *pass_id, now)?.into(),
        C::WaivePenalty(ask) => waive_penalty(set, actor, ask, now)?.into(),
        C::PayFee(ask) => pay_fee(set, actor, ask, now)?.into(),
        C::SetRoles { studio_id, person_id, roles, leave_sessions } => {
            set_roles(set, actor, *studio_id, *person_id, roles, *leave_sessions, now)?.into()
        }
        C::JoinStaff { invitation_id, person_id } => join_staff(set, actor, *invitation_id, *person_id, now)?.into(),
        C::SetHouseRules(ask) => set_house_rules(set, actor, ask, now)?.into(),
        C::OverrideRules(ask) => override_rules(set, actor, ask, now)?.into(),
        C::ErasePerson { studio_id, person_id } => erase_person(set, actor, *studio_id, *person_id, now)?.into(),
        C::RemovePerson { person_id } => remove_person(set, actor, *person_id, now)?.into(),
        C::Refill { session_id } => refill_by_clock(set, *session_id, now)?.into(),
        C::RefillFor { person_id } => refill_for(set, *person_id, now)?.into(),
        C::ExpireOffer { booking_id } => expire_offer(set, *booking_id, now)?.into(),
        C::CloseWaitlist { session_id } => close_waitlist(set, *session_id, now)?.into(),
        C::SetHold(ask) => set_hold(set, actor, ask, now)?.into(),
        C::ReleaseHold { session_id, hold_id } => release_hold(set, actor, *session_id, *hold_id, now)?.into(),
        C::ExpireHold { hold_id } => expire_hold(set, *hold_id, now)?.into(),
        C::FollowUpAttendance { session_id } => follow_up_attendance(set, *session_id, now)?.into(),
        C::ReleaseDoor(ask) => release_door(set, actor, ask, now)?.into(),
        C::Remind { session_id } => remind(set, *session_id, now)?.into(),
        C::CheckInByCode(ask) => check_in_by_code(set, actor, ask, now)?.into(),
        C::MarkRoster(ask) => mark_roster(set, actor, ask, now)?.into(),
        C::WalkIn(ask) => walk_in(set, actor, ask, now)?.into(),
        C::MergeMembers(ask) => merge_members(set, actor, ask, now)?.into(),
    })
}

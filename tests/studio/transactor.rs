//! The transactor itself, without HTTP: what a batch decides, and what the audit says about it.

use chrono::TimeDelta;
use releve::audit;
use releve::booking::BookingStatus;
use releve::booking::book::Book;
use releve::booking::cancel::Cancel;
use releve::booking::snapshot::BookingSnapshot;
use releve::events::Actor;
use releve::problem::{Answer, ProblemType};
use releve::transactor::{Command, Outcome};
use uuid::Uuid;

use crate::house::House;
use crate::seed::{Person, Session};

impl House {
    async fn hand_in(&self, who: &Person, what: Command) -> Answer<Outcome> {
        let by = Actor { person_id: Some(who.id), request_id: Some("test".into()), ..Actor::default() };
        self.app.transactor.submit(by, what).await
    }

    async fn submit_book(&self, who: &Person, session: &Session, waitlist: bool) -> Answer<Box<BookingSnapshot>> {
        let book = Book { id: self.new_id(), session_id: session.id, waitlist, ..Book::default() };
        match self.hand_in(who, Command::Book(book)).await? {
            Outcome::Booking(shown) => Ok(shown),
            other => panic!("{other:?}"),
        }
    }

    async fn submit_cancel(&self, who: &Person, booking_id: Uuid) -> Answer<Box<BookingSnapshot>> {
        let cancel = Cancel { booking_id, if_status: None, if_free: false, return_all: false, reason: None };
        match self.hand_in(who, Command::Cancel(cancel)).await? {
            Outcome::Booking(shown) => Ok(shown),
            other => panic!("{other:?}"),
        }
    }

    async fn audit(&self) {
        let report = audit::check(&self.db, self.clock.now()).await.unwrap();
        assert!(report.is_clean(), "{report}");
    }
}

both_engines! {
    async fn a_rush_never_oversells_and_keeps_its_order(house: House) {
        house.letters_may_stay();
        let session = house.session("2026-12-02 18:30", 5).await;
        house.write(move |tx| Box::pin(async move { tx.run("UPDATE sessions SET waitlist_cap = NULL", ()).await })).await;
        let members = house.members(40).await;
        let rush = members.iter().map(|member| house.submit_book(member, &session, true));
        let answers = futures_util::future::join_all(rush).await;
        let statuses: Vec<BookingStatus> = answers.iter().map(|answer| answer.as_ref().unwrap().booking.status).collect();
        assert_eq!(statuses.iter().filter(|status| **status == BookingStatus::Booked).count(), 5);
        let mut positions: Vec<i64> = answers.iter().filter_map(|answer| answer.as_ref().unwrap().position).collect();
        positions.sort_unstable();
        assert_eq!(positions, (1..=35).collect::<Vec<_>>());
        house.audit().await;
    }

    async fn a_freed_place_goes_to_the_first_who_can_take_it(house: House) {
        house.letters_may_stay();
        let session = house.session("2026-12-02 18:30", 1).await;
        let (ana, bea, cleo) = (house.member("Ana").await, house.stranger("Bea").await, house.member("Cleo").await);
        let booked = house.submit_book(&ana, &session, false).await.unwrap();
        assert_eq!(booked.booking.status, BookingStatus::Booked);
        assert_eq!(booked.booking.credits, 1);
        assert_eq!(house.submit_book(&bea, &session, false).await.unwrap_err().kind, ProblemType::SessionFull);
        house.submit_book(&bea, &session, true).await.unwrap();
        let waiting = house.submit_book(&cleo, &session, true).await.unwrap();
        assert_eq!(waiting.position, Some(2));
        house.audit().await;
        let cancelled = house.submit_cancel(&ana, booked.booking.id).await.unwrap();
        assert_eq!(cancelled.booking.status, BookingStatus::Cancelled);
        assert_eq!(cancelled.booking.credits_returned, 1);
        let now = releve::booking::store::one(&house.db, waiting.booking.id).await.unwrap().unwrap();
        assert_eq!(now.status, BookingStatus::Booked);
        assert_eq!(now.credits, 1);
        house.audit().await;
    }

    async fn the_end_of_waiting(house: House) {
        house.letters_may_stay();
        let session = house.session("2026-12-02 18:30", 1).await;
        let (ana, bea) = (house.member("Ana").await, house.member("Bea").await);
        house.submit_book(&ana, &session, false).await.unwrap();
        let waiting = house.submit_book(&bea, &session, true).await.unwrap();
        house.clock.set(session.starts_at + TimeDelta::seconds(1));
        // One ends the waiting, one looks whether Ana is still to be reminded.
        assert_eq!(releve::sweeps::sweep(&house.app).await.unwrap(), 2);
        assert_eq!(releve::sweeps::sweep(&house.app).await.unwrap(), 0);
        let now = releve::booking::store::one(&house.db, waiting.booking.id).await.unwrap().unwrap();
        assert_eq!(now.status, BookingStatus::Cancelled);
        assert_eq!(now.ended_by, Some(releve::booking::EndedBy::WaitlistClosed));
        house.audit().await;
    }
}

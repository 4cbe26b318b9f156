//! Keys by which people are found and told apart are made by the program. Where a newer version makes them in another way, its migration
//! marks those that are there as stale, and they are made anew here before the process serves: in small slices, beside other processes
//! that may do the same, or that are still of the older version.

use uuid::Uuid;

use super::store;
use crate::db::{Db, Error, Trouble, Tx};
use crate::search::name_key;
use crate::sign_in;
use crate::text::address_key;

/// Rows of one transaction: on SQLite everybody else waits for it.
const SLICE: i64 = 200;

/// How often a slice is tried that met somebody who was changing the same address.
const TRIES: usize = 5;

/// What has a key.
#[derive(Clone, Copy, Debug)]
enum Keyed {
    Name,
    Person,
    Account,
    Invitation,
}

/// What was made anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renewed {
    /// Stale rows that were looked at.
    pub looked_at: usize,
    /// Addresses that kept the key they had, because another spelling of the same address is somebody else's. Both people go on signing
    /// in by their own; `releve audit` names them.
    pub contested: usize,
}

/// The rows of one transaction. `last` is the key of the last, where the next slice begins.
struct Slice {
    last: (Uuid, Uuid),
    renewed: Renewed,
}

/// Makes every stale key anew. Where there are none, that is seen by an index.
pub async fn renew(db: &Db) -> Result<Renewed, Error> {
    let mut all = Renewed::default();
    for what in [Keyed::Name, Keyed::Person, Keyed::Account, Keyed::Invitation] {
        let mut after = (Uuid::nil(), Uuid::nil());
        while let Some(Slice { last, renewed }) = tried(db, what, after).await? {
            after = last;
            all = Renewed { looked_at: all.looked_at + renewed.looked_at, contested: all.contested + renewed.contested };
        }
    }
    Ok(all)
}

async fn tried(db: &Db, what: Keyed, after: (Uuid, Uuid)) -> Result<Option<Slice>, Error> {
    let mut tries = 1;
    loop {
        let slice = db.write("renew_keys", move |tx| Box::pin(slice(tx, what, after))).await;
        match slice {
            Err(error) if matches!(error.trouble(), Trouble::Again | Trouble::Unique) && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

async fn slice(tx: &mut Tx, what: Keyed, after: (Uuid, Uuid)) -> Result<Option<Slice>, Error> {
    match what {
        Keyed::Name => names(tx, after).await,
        Keyed::Person => persons(tx, after.0).await,
        Keyed::Account => accounts(tx, after.0).await,
        Keyed::Invitation => invitations(tx, after.0).await,
    }
}

async fn names(tx: &mut Tx, after: (Uuid, Uuid)) -> Result<Option<Slice>, Error> {
    let rows = store::stale_names(tx, after, SLICE).await?;
    let Some(last) = rows.last().map(|row| (row.studio_id, row.person_id)) else { return Ok(None) };
    let renewed = Renewed { looked_at: rows.len(), contested: 0 };
    let keys = rows.into_iter().map(|row| (row.studio_id, row.person_id, name_key(&row.name))).collect();
    store::renew_names(tx, keys).await?;
    Ok(Some(Slice { last, renewed }))
}

async fn persons(tx: &mut Tx, after: Uuid) -> Result<Option<Slice>, Error> {
    let rows = store::stale_addresses(tx, after, SLICE).await?;
    let Some(last) = rows.last().map(|row| (row.id, Uuid::nil())) else { return Ok(None) };
    let mut renewed = Renewed { looked_at: rows.len(), contested: 0 };
    let mut current = Vec::new();
    for row in rows {
        match row.email.as_deref().map(address_key) {
            Some(key) if row.email_key.or(row.contact_key).is_some_and(|old| old != key) => {
                renewed.contested += usize::from(!store::renew_address(tx, row.id, &key).await?);
            }
            _ => current.push(row.id),
        }
    }
    store::addresses_are_current(tx, current).await?;
    Ok(Some(Slice { last, renewed }))
}

async fn accounts(tx: &mut Tx, after: Uuid) -> Result<Option<Slice>, Error> {
    let rows = sign_in::store::stale_accounts(tx, after, SLICE).await?;
    let Some(last) = rows.last().map(|row| (row.id, Uuid::nil())) else { return Ok(None) };
    let mut renewed = Renewed { looked_at: rows.len(), contested: 0 };
    let mut current = Vec::new();
    for row in rows {
        let key = address_key(&row.email);
        if key == row.email_key {
            current.push(row.id);
        } else {
            renewed.contested += usize::from(!sign_in::store::renew_account(tx, row.id, &key).await?);
        }
    }
    sign_in::store::accounts_are_current(tx, current).await?;
    Ok(Some(Slice { last, renewed }))
}

async fn invitations(tx: &mut Tx, after: Uuid) -> Result<Option<Slice>, Error> {
    let rows = sign_in::store::stale_invitations(tx, after, SLICE).await?;
    let Some(last) = rows.last().map(|row| (row.id, Uuid::nil())) else { return Ok(None) };
    let renewed = Renewed { looked_at: rows.len(), contested: 0 };
    sign_in::store::renew_invitations(tx, rows.into_iter().map(|row| (row.id, address_key(&row.email))).collect()).await?;
    Ok(Some(Slice { last, renewed }))
}

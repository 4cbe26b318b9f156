//! Everything that a studio owns, to take along: a file of lines for each kind of thing.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use futures_util::stream;
use uuid::Uuid;

use super::guard::require_admin;
use super::store::exported::{Table, page};
use crate::app::App;
use crate::extract::Path;
use crate::problem::{Answer, Problem, refuses};
use crate::sign_in::Caller;

/// Lines that are read at a time, each time from a snapshot of its own.
const LINES_AT_ONCE: i64 = 2_000;

/// What makes spreadsheets read Chinese.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// One kind of thing that a studio owns, all of it, as CSV: members, staff, rooms, class types, pass types, sessions, bookings, passes, the
/// ledger, penalties. No cell runs as a formula: what a spreadsheet would take for one has an apostrophe before it. Admins.
#[utoipa::path(
    get, path = "/v1/studios/{id}/exports/{table}", operation_id = "export_studio",
    params(("id" = Uuid, Path), ("table" = inline(Table), Path)),
    responses((status = 200, content((String = "text/csv")))),
    extensions(("x-problem-types" = json!(refuses![NotAllowed])))
)]
pub async fn export(State(app): State<App>, caller: Caller, Path((studio_id, table)): Path<(Uuid, Table)>) -> Answer<impl IntoResponse> {
    require_admin(&app, &caller, studio_id).await?;
    let name = serde_json::to_value(table).map_err(Problem::fault)?;
    let name = format!("attachment; filename=\"{}.csv\"", name.as_str().unwrap_or("export"));
    let head = [BYTE_ORDER_MARK, &lines(vec![table.columns().iter().map(|column| (*column).to_owned()).collect()])?].concat();
    // The first page is read before the answer begins, so that a database that is away is told by its status.
    let first = read(&app, studio_id, table, Uuid::nil()).await?;
    let pages = stream::try_unfold(Some((Bytes::from(head), first)), move |state| {
        let app = app.clone();
        async move {
            let Some((before, (bytes, next))) = state else { return Ok(None) };
            let chunk = Bytes::from([&before[..], &bytes[..]].concat());
            let state = match next {
                Some(after) => {
                    Some((Bytes::new(), read(&app, studio_id, table, after).await.map_err(|_| std::io::Error::other("an export"))?))
                }
                None => None,
            };
            Ok::<_, std::io::Error>(Some((chunk, state)))
        }
    });
    let headers = [(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(pages)))
}

async fn read(app: &App, studio_id: Uuid, table: Table, after: Uuid) -> Answer<(Vec<u8>, Option<Uuid>)> {
    let mut tx = app.db.read().await?;
    let found = page(&mut tx, studio_id, table, after, LINES_AT_ONCE).await;
    tx.rollback().await;
    let (rows, next) = found?;
    Ok((lines(rows)?, next))
}

fn lines(rows: Vec<Vec<String>>) -> Answer<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row).map_err(Problem::fault)?;
    }
    writer.into_inner().map_err(|error| Problem::fault(error.into_error()))
}

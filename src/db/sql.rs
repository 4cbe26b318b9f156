//! Texts and binds: what the seam generates, and how one tuple binds to either engine.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{LazyLock, Mutex, PoisonError};

use futures_util::TryStreamExt;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Encode, Executor, FromRow, Postgres, Sqlite, Type};

use super::error::Error;

/// The most rows of one generated statement, then 8, then 1: three cached texts instead of one for every length.
pub(super) const CHUNKS: [usize; 3] = [64, 8, 1];

/// A future that a caller may spawn. The methods here are plain functions that build their arguments first: as `async fn` they
/// compile, but callers inside `tokio::spawn` then fail with "implementation of `Send` is not general enough".
pub type Eventually<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// A statement: one text for both engines, or one for each where they must differ. The only parameters of hand-written text are `$1`, `$2`, ….
#[derive(Clone, Copy, Debug)]
pub enum Sql {
    /// One text serves both.
    Both(&'static str),
    /// They must differ.
    Each {
        /// For SQLite.
        sqlite: &'static str,
        /// For PostgreSQL.
        postgres: &'static str,
    },
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self::Both(text)
    }
}

impl Sql {
    pub(super) const fn sqlite(self) -> &'static str {
        match self {
            Self::Both(text) | Self::Each { sqlite: text, .. } => text,
        }
    }

    pub(super) const fn postgres(self) -> &'static str {
        match self {
            Self::Both(text) | Self::Each { postgres: text, .. } => text,
        }
    }

    /// PostgreSQL's text, with or without the lock clause at its end.
    pub(super) fn locking(self, locks: bool) -> &'static str {
        let text = self.postgres();
        let clause = if locks { None } else { text.find(" FOR UPDATE").or_else(|| text.find(" FOR NO KEY UPDATE")) };
        clause.and_then(|at| text.get(..at)).unwrap_or(text)
    }
}

/// What both engines can store.
pub trait Value:
    for<'q> Encode<'q, Sqlite>
    + Type<Sqlite>
    + for<'q> Encode<'q, Postgres>
    + Type<Postgres>
    + sqlx::postgres::PgHasArrayType
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<V> Value for V where
    V: for<'q> Encode<'q, Sqlite>
        + Type<Sqlite>
        + for<'q> Encode<'q, Postgres>
        + Type<Postgres>
        + sqlx::postgres::PgHasArrayType
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// A row type: `#[derive(FromRow)]`, or a tuple of up to nine columns.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}

impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}

/// A tuple of values to bind, in the order of `$1`, `$2`, ….
pub trait Binds: Send + Sync {
    /// How many.
    const COUNT: usize;

    #[doc(hidden)]
    fn add_sqlite(&self, args: &mut SqliteArguments) -> Result<(), sqlx::error::BoxDynError>;
    #[doc(hidden)]
    fn add_postgres(&self, args: &mut PgArguments) -> Result<(), sqlx::error::BoxDynError>;

    #[doc(hidden)]
    fn sqlite(&self) -> Result<SqliteArguments, Error> {
        let mut args = SqliteArguments::default();
        self.add_sqlite(&mut args).map_err(sqlx::Error::Encode)?;
        Ok(args)
    }

    #[doc(hidden)]
    fn postgres(&self) -> Result<PgArguments, Error> {
        let mut args = PgArguments::default();
        self.add_postgres(&mut args).map_err(sqlx::Error::Encode)?;
        Ok(args)
    }
}

macro_rules! binds {
    ($($name:ident)*) => {
        impl<$($name,)*> Binds for ($($name,)*)
        where
            $($name: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + Sync,)*
        {
            const COUNT: usize = 0 $(+ { let _ = stringify!($name); 1 })*;

            #[allow(non_snake_case, unused_variables)]
            fn add_sqlite(&self, args: &mut SqliteArguments) -> Result<(), sqlx::error::BoxDynError> {
                let ($($name,)*) = self;
                $(args.add($name)?;)*
                Ok(())
            }

            #[allow(non_snake_case, unused_variables)]
            fn add_postgres(&self, args: &mut PgArguments) -> Result<(), sqlx::error::BoxDynError> {
                let ($($name,)*) = self;
                $(args.add($name)?;)*
                Ok(())
            }
        }
    };
}

binds!();
binds!(A);
binds!(A B);
binds!(A B C);
binds!(A B C D);
binds!(A B C D E);
binds!(A B C D E F);
binds!(A B C D E F G);
binds!(A B C D E F G H);
binds!(A B C D E F G H I);
binds!(A B C D E F G H I J);
binds!(A B C D E F G H I J K);
binds!(A B C D E F G H I J K L);
binds!(A B C D E F G H I J K L M);
binds!(A B C D E F G H I J K L M N);
binds!(A B C D E F G H I J K L M N O);
binds!(A B C D E F G H I J K L M N O P);
binds!(A B C D E F G H I J K L M N O P Q);

/// A row wider than one tuple: a tuple of two to six tuples.
#[derive(Clone, Copy, Debug)]
pub struct Wide<T>(pub T);

macro_rules! wide {
    ($($name:ident)*) => {
        impl<$($name: Binds,)*> Binds for Wide<($($name,)*)> {
            const COUNT: usize = 0 $(+ $name::COUNT)*;

            #[allow(non_snake_case)]
            fn add_sqlite(&self, args: &mut SqliteArguments) -> Result<(), sqlx::error::BoxDynError> {
                let Self(($($name,)*)) = self;
                $($name.add_sqlite(args)?;)*
                Ok(())
            }

            #[allow(non_snake_case)]
            fn add_postgres(&self, args: &mut PgArguments) -> Result<(), sqlx::error::BoxDynError> {
                let Self(($($name,)*)) = self;
                $($name.add_postgres(args)?;)*
                Ok(())
            }
        }
    };
}

wide!(A B);
wide!(A B C);
wide!(A B C D);
wide!(A B C D E F);

pub(super) type Built<A> = Result<A, Error>;

pub(super) fn all_sqlite<'e, T, E>(on: E, text: &'static str, args: Built<SqliteArguments>) -> Eventually<'e, Vec<T>>
where
    T: Record,
    E: Executor<'e, Database = Sqlite> + 'e,
{
    check(text, &args);
    Box::pin(async move { Ok(sqlx::query_as_with::<Sqlite, T, _>(text, args?).fetch(on).try_collect().await?) })
}

pub(super) fn all_postgres<'e, T, E>(on: E, text: &'static str, args: Built<PgArguments>) -> Eventually<'e, Vec<T>>
where
    T: Record,
    E: Executor<'e, Database = Postgres> + 'e,
{
    check(text, &args);
    Box::pin(async move { Ok(sqlx::query_as_with::<Postgres, T, _>(text, args?).fetch(on).try_collect().await?) })
}

pub(super) fn run_sqlite<'c>(on: &'c mut sqlx::SqliteConnection, text: &'static str, args: Built<SqliteArguments>) -> Eventually<'c, u64> {
    check(text, &args);
    Box::pin(async move { Ok(sqlx::query_with::<Sqlite, _>(text, args?).execute(on).await?.rows_affected()) })
}

pub(super) fn run_postgres<'c>(on: &'c mut sqlx::PgConnection, text: &'static str, args: Built<PgArguments>) -> Eventually<'c, u64> {
    check(text, &args);
    Box::pin(async move { Ok(sqlx::query_with::<Postgres, _>(text, args?).execute(on).await?.rows_affected()) })
}

/// SQLite takes a missing bind for NULL: in debug builds, and so in every test, the number of binds is asserted.
fn check<A: Arguments>(text: &str, args: &Built<A>) {
    if cfg!(debug_assertions)
        && let Ok(args) = args
    {
        // `$3` and `?3` name the third; a bare `?` is the next.
        let marks = text
            .split(['$', '?'])
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse::<usize>().ok());
        let asked = marks.fold(0, |most, number| number.map_or(most + 1, |number| most.max(number)));
        assert_eq!(asked, args.len(), "binds of {text}");
    }
}

/// `(text, binds)` for each chunk of a list, the fixed binds first.
pub(super) fn among_sqlite<B: Binds, V: Value>(text: &'static str, fixed: &B, list: &[V]) -> Vec<(&'static str, Built<SqliteArguments>)> {
    chunks(list.len())
        .map(|(from, count)| {
            let generated = generated(text, Form::List { fixed: B::COUNT }, count);
            let args = fixed.sqlite().and_then(|mut args| {
                for value in &list[from..from + count] {
                    args.add(value.clone()).map_err(sqlx::Error::Encode)?;
                }
                Ok(args)
            });
            (generated, args)
        })
        .collect()
}

/// PostgreSQL takes the list as one array.
pub(super) fn among_postgres<B: Binds, V: Value>(text: &'static str, fixed: B, list: &[V]) -> (&'static str, Built<PgArguments>) {
    let generated = generated(text, Form::Array { fixed: B::COUNT }, 1);
    let args = fixed.postgres().and_then(|mut args| {
        args.add(list.to_vec()).map_err(sqlx::Error::Encode)?;
        Ok(args)
    });
    (generated, args)
}

pub(super) fn rows_sqlite<B: Binds>(text: &'static str, rows: Vec<B>) -> Vec<(&'static str, Built<SqliteArguments>)> {
    chunks(rows.len())
        .map(|(from, count)| {
            let mut args = SqliteArguments::default();
            args.reserve(count * B::COUNT, 0);
            let added = rows[from..from + count].iter().try_for_each(|row| row.add_sqlite(&mut args));
            let generated = generated(text, Form::Rows { width: B::COUNT, marks: true }, count);
            (generated, added.map(|()| args).map_err(|error| sqlx::Error::Encode(error).into()))
        })
        .collect()
}

pub(super) fn rows_postgres<B: Binds>(text: &'static str, rows: Vec<B>) -> Vec<(&'static str, Built<PgArguments>)> {
    chunks(rows.len())
        .map(|(from, count)| {
            let mut args = PgArguments::default();
            let added = rows[from..from + count].iter().try_for_each(|row| row.add_postgres(&mut args));
            let generated = generated(text, Form::Rows { width: B::COUNT, marks: false }, count);
            (generated, added.map(|()| args).map_err(|error| sqlx::Error::Encode(error).into()))
        })
        .collect()
}

/// Cuts a length into runs of 64, 8 and 1: `(from, count)`.
fn chunks(length: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let count = CHUNKS.into_iter().find(|&size| size <= length - from)?;
        from += count;
        Some((from - count, count))
    })
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Form {
    /// `(?, ?), (?, ?)`: positional marks for SQLite, whose `$n` is a named parameter, quadratic in number; `$n` for PostgreSQL.
    Rows { width: usize, marks: bool },
    /// `(?3, ?4, …)` behind the fixed binds.
    List { fixed: usize },
    /// `= ANY($3)`; the text says `IN #`.
    Array { fixed: usize },
}

/// The text with its `#` written out, made once for each text and size and kept for ever: there are finitely many.
fn generated(text: &'static str, form: Form, count: usize) -> &'static str {
    type Texts = HashMap<(usize, Form, usize), &'static str>;
    static TEXTS: LazyLock<Mutex<Texts>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.entry((text.as_ptr() as usize, form, count)).or_insert_with(|| Box::leak(generate(text, form, count).into_boxed_str()))
}

fn generate(text: &str, form: Form, count: usize) -> String {
    let list = |from: usize, to: usize, mark: &str| {
        let marks: Vec<String> = (from..=to).map(|n| if mark == "?" { mark.to_owned() } else { format!("{}{n}", &mark[..1]) }).collect();
        format!("({})", marks.join(","))
    };
    match form {
        Form::Rows { width, marks } => {
            let mark = if marks { "?" } else { "$n" };
            let rows: Vec<String> = (0..count).map(|row| list(row * width + 1, (row + 1) * width, mark)).collect();
            text.replace('#', &rows.join(","))
        }
        Form::List { fixed: 0 } => text.replace('#', &list(1, count, "?")),
        Form::List { fixed } => text.replace('#', &list(fixed + 1, fixed + count, "?n")),
        Form::Array { fixed } => text.replace("IN #", &format!("= ANY(${})", fixed + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_cut_into_three_sizes() {
        assert_eq!(chunks(74).collect::<Vec<_>>(), [(0, 64), (64, 8), (72, 1), (73, 1)]);
        assert_eq!(chunks(0).count(), 0);
    }

    #[test]
    fn texts_are_written_out() {
        let rows = Form::Rows { width: 2, marks: true };
        assert_eq!(generate("INSERT INTO t (a, b) VALUES #", rows, 2), "INSERT INTO t (a, b) VALUES (?,?),(?,?)");
        let rows = Form::Rows { width: 2, marks: false };
        assert_eq!(generate("VALUES #", rows, 2), "VALUES ($1,$2),($3,$4)");
        assert_eq!(generate("x = $1 AND id IN #", Form::List { fixed: 1 }, 2), "x = $1 AND id IN (?2,?3)");
        assert_eq!(generate("x = $1 AND id IN #", Form::Array { fixed: 1 }, 1), "x = $1 AND id = ANY($2)");
    }
}

//! Texts and binds: what the seam generates, and how one tuple binds to either engine.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use futures_util::TryStreamExt;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgHasArrayType, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, Encode, FromRow, PgConnection, Postgres, Sqlite, SqliteConnection, Type};

use super::error::Error;

/// The two engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Engine {
    /// A file, nothing to install, one process.
    Sqlite,
    /// A server: several processes, high availability.
    Postgres,
}

/// Rows per generated statement: powers of two, so that eight cached texts serve every length, and a batch of bookings is written in few
/// statements. Each is kept prepared, with room for its binds: longer ones cost SQLite memory.
const CHUNKS: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];

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
    pub(super) const fn of(self, engine: Engine) -> &'static str {
        match (self, engine) {
            (Self::Both(text), _) => text,
            (Self::Each { sqlite, .. }, Engine::Sqlite) => sqlite,
            (Self::Each { postgres, .. }, Engine::Postgres) => postgres,
        }
    }

    /// PostgreSQL's text, with or without the lock clause at its end.
    pub(super) fn locking(self, locks: bool) -> &'static str {
        let text = self.of(Engine::Postgres);
        let clause = if locks { None } else { text.find(" FOR UPDATE").or_else(|| text.find(" FOR NO KEY UPDATE")) };
        clause.and_then(|at| text.get(..at)).unwrap_or(text)
    }
}

/// One value that both engines can store.
pub trait Bind: Send + Sync {
    #[doc(hidden)]
    fn add_to(&self, args: &mut Args) -> Result<(), BoxDynError>;
}

impl<V> Bind for V
where
    V: for<'q> Encode<'q, Sqlite> + Type<Sqlite> + for<'q> Encode<'q, Postgres> + Type<Postgres> + Send + Sync,
{
    fn add_to(&self, args: &mut Args) -> Result<(), BoxDynError> {
        match args {
            Args::Sqlite(args) => args.add(self),
            Args::Postgres(args) => args.add(self),
        }
    }
}

/// A value that may stand in a list, which PostgreSQL takes as one array.
pub trait Value: Bind + Encode<'static, Postgres> + Type<Postgres> + PgHasArrayType + Clone + 'static {}

impl<V> Value for V where V: Bind + for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType + Clone + 'static {}

/// A row type: `#[derive(FromRow)]`, or a tuple of up to nine columns.
pub trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}

impl<T> Record for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}

/// A tuple of values to bind, in the order of `$1`, `$2`, ….
pub trait Binds: Send + Sync {
    #[doc(hidden)]
    fn add_to(&self, args: &mut Args) -> Result<(), BoxDynError>;
}

macro_rules! binds {
    ($($name:ident)*) => {
        impl<$($name: Bind,)*> Binds for ($($name,)*) {
            #[allow(non_snake_case)]
            fn add_to(&self, args: &mut Args) -> Result<(), BoxDynError> {
                let ($($name,)*) = self;
                args.add(&[$($name as &dyn Bind,)*])
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
            #[allow(non_snake_case)]
            fn add_to(&self, args: &mut Args) -> Result<(), BoxDynError> {
                let Self(($($name,)*)) = self;
                $($name.add_to(args)?;)*
                Ok(())
            }
        }
    };
}

wide!(A B);
wide!(A B C);
wide!(A B C D);
wide!(A B C D E F);

/// The binds of one statement, as its engine takes them.
#[derive(Debug)]
pub enum Args {
    /// For SQLite.
    Sqlite(SqliteArguments),
    /// For PostgreSQL.
    Postgres(PgArguments),
}

impl Args {
    fn none(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(SqliteArguments::default()),
            Engine::Postgres => Self::Postgres(PgArguments::default()),
        }
    }

    fn add(&mut self, binds: &[&dyn Bind]) -> Result<(), BoxDynError> {
        if let Self::Sqlite(args) = self {
            args.reserve(binds.len(), 0);
        }
        binds.iter().try_for_each(|bind| bind.add_to(self))
    }

    fn len(&self) -> usize {
        match self {
            Self::Sqlite(args) => args.len(),
            Self::Postgres(args) => args.len(),
        }
    }
}

/// A statement for one engine: its text and its binds.
pub(super) type Statement = (&'static str, Args);

/// Statements to run in sequence, or a bind that cannot be encoded, which is reported when they are run.
pub(super) type Statements = Result<Vec<Statement>, Error>;

/// One statement.
pub(super) fn single(engine: Engine, text: &'static str, binds: &dyn Binds) -> Statements {
    let mut args = Args::none(engine);
    binds.add_to(&mut args).map_err(sqlx::Error::Encode)?;
    Ok(vec![checked(text, args)])
}

/// A list of values, seen without their type.
pub(super) trait List {
    fn len(&self) -> usize;
    fn add_some(&self, from: usize, count: usize, args: &mut Args) -> Result<(), BoxDynError>;
    fn add_all(&self, args: &mut Args) -> Result<(), BoxDynError>;
}

impl<V: Value> List for &[V] {
    fn len(&self) -> usize {
        <[V]>::len(self)
    }

    fn add_some(&self, from: usize, count: usize, args: &mut Args) -> Result<(), BoxDynError> {
        self.iter().skip(from).take(count).try_for_each(|value| value.add_to(args))
    }

    fn add_all(&self, args: &mut Args) -> Result<(), BoxDynError> {
        match args {
            Args::Postgres(args) => args.add(self.to_vec()),
            Args::Sqlite(_) => self.add_some(0, self.len(), args),
        }
    }
}

/// A statement for each chunk of a list, the fixed binds first. PostgreSQL takes the list as one array.
pub(super) fn among(engine: Engine, text: &'static str, fixed: &dyn Binds, list: &dyn List) -> Statements {
    match engine {
        Engine::Postgres => {
            let mut args = Args::none(engine);
            fixed.add_to(&mut args).map_err(sqlx::Error::Encode)?;
            let text = generated(text, Form::Array { fixed: args.len() }, 1);
            list.add_all(&mut args).map_err(sqlx::Error::Encode)?;
            Ok(vec![checked(text, args)])
        }
        Engine::Sqlite => chunks(list.len())
            .map(|(from, count)| {
                let mut args = Args::none(engine);
                fixed.add_to(&mut args).map_err(sqlx::Error::Encode)?;
                let text = generated(text, Form::List { fixed: args.len() }, count);
                list.add_some(from, count, &mut args).map_err(sqlx::Error::Encode)?;
                Ok(checked(text, args))
            })
            .collect(),
    }
}

/// A statement for each chunk of rows.
pub(super) fn rows(engine: Engine, text: &'static str, rows: &[&dyn Binds]) -> Statements {
    chunks(rows.len())
        .map(|(from, count)| {
            let mut args = Args::none(engine);
            rows.iter().skip(from).take(count).try_for_each(|row| row.add_to(&mut args)).map_err(sqlx::Error::Encode)?;
            let form = Form::Rows { width: args.len() / count, marks: engine == Engine::Sqlite };
            Ok(checked(generated(text, form, count), args))
        })
        .collect()
}

/// SQLite treats a missing bind as NULL: in debug builds, and so in every test, the number of binds is asserted.
fn checked(text: &'static str, args: Args) -> Statement {
    if cfg!(debug_assertions) {
        // `$3` and `?3` name the third; a bare `?` is the next.
        let marks = text
            .split(['$', '?'])
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse::<usize>().ok());
        let asked = marks.fold(0, |most, number| number.map_or(most + 1, |number| most.max(number)));
        assert_eq!(asked, args.len(), "binds of {text}");
    }
    (text, args)
}

/// Collects rows without naming their type, so that what talks to the engines is compiled once and not once for every type of row.
pub(super) trait Rows: Send {
    fn take_sqlite(&mut self, row: &SqliteRow) -> Result<(), sqlx::Error>;
    fn take_postgres(&mut self, row: &PgRow) -> Result<(), sqlx::Error>;
}

impl<T: Record> Rows for Vec<T> {
    fn take_sqlite(&mut self, row: &SqliteRow) -> Result<(), sqlx::Error> {
        self.push(T::from_row(row)?);
        Ok(())
    }

    fn take_postgres(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        self.push(T::from_row(row)?);
        Ok(())
    }
}

pub(super) async fn fetch_sqlite(on: &mut SqliteConnection, (text, args): Statement, into: &mut dyn Rows) -> Result<(), Error> {
    let Args::Sqlite(args) = args else { return Err(foreign()) };
    let mut rows = sqlx::query_with::<Sqlite, _>(text, args).fetch(on);
    while let Some(row) = rows.try_next().await? {
        into.take_sqlite(&row)?;
    }
    Ok(())
}

pub(super) async fn fetch_postgres(on: &mut PgConnection, (text, args): Statement, into: &mut dyn Rows) -> Result<(), Error> {
    let Args::Postgres(args) = args else { return Err(foreign()) };
    let mut rows = sqlx::query_with::<Postgres, _>(text, args).fetch(on);
    while let Some(row) = rows.try_next().await? {
        into.take_postgres(&row)?;
    }
    Ok(())
}

pub(super) async fn run_sqlite(on: &mut SqliteConnection, (text, args): Statement) -> Result<u64, Error> {
    let Args::Sqlite(args) = args else { return Err(foreign()) };
    Ok(sqlx::query_with::<Sqlite, _>(text, args).execute(on).await?.rows_affected())
}

pub(super) async fn run_postgres(on: &mut PgConnection, (text, args): Statement) -> Result<u64, Error> {
    let Args::Postgres(args) = args else { return Err(foreign()) };
    Ok(sqlx::query_with::<Postgres, _>(text, args).execute(on).await?.rows_affected())
}

/// Never seen: binds are made by the database that runs them.
fn foreign() -> Error {
    sqlx::Error::Configuration("the binds are another engine's".into()).into()
}

/// Cuts a length into runs of these sizes: `(from, count)`.
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
    fn lengths_are_cut_into_few_runs() {
        assert_eq!(chunks(74).collect::<Vec<_>>(), [(0, 64), (64, 8), (72, 2)]);
        assert_eq!(chunks(600).collect::<Vec<_>>(), [(0, 128), (128, 128), (256, 128), (384, 128), (512, 64), (576, 16), (592, 8)]);
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

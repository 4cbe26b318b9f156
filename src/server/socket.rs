//! A connection's socket that knows how long to wait for the other side.
//!
//! Hyper's own header time-out also runs while a kept connection is idle, and for a peer that does not read it has none at all. So the
//! socket itself watches the clock. It can, because hyper reads from it only while it waits for a request, and writes to it only answers:
//!
//! - between requests, the keep-alive time; then the end looks to hyper as if the peer had hung up, and the connection closes cleanly;
//! - from the first byte of a request, the header time, however slowly the rest trickles in;
//! - while a request is with its handler, nothing: `server::front` limits that, the reading of the body included;
//! - while an answer waits for the peer to read, the write time, counted anew with each piece that went out.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// How much of an answer a peer must read in each write time. One that reads a few bytes now and then is treated like one that never reads.
const PROGRESS_BYTES: usize = 16 * 1024;

/// Once everything is to close: how long a kept connection is still read, for a request that was already under way.
pub const LAST_CALL: Duration = Duration::from_millis(500);

/// How long, and for how many bytes, whatever the peer still sends after the last answer is thrown away. Hanging up on a peer that is still
/// sending makes its system drop the answer unread.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES_MAX: usize = 1024 * 1024;

/// How long to wait for the other side, in each situation.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the first byte of a new connection.
    pub first_byte: Duration,
    /// For the first byte of the next request.
    pub keep_alive: Duration,
    /// The same while hardly any place is left.
    pub keep_alive_crowded: Duration,
    /// For the rest of a request's head.
    pub head: Duration,
    /// For the peer to take more of an answer.
    pub write: Duration,
}

/// What the socket and the service on top of it know of each other.
#[derive(Debug, Default)]
pub struct Talk {
    in_hand: AtomicBool,
}

impl Talk {
    /// A request's head was read, and its handler begins.
    pub fn begin(&self) {
        self.in_hand.store(true, Ordering::Relaxed);
    }

    /// The handler has answered.
    pub fn end(&self) {
        self.in_hand.store(false, Ordering::Relaxed);
    }
}

/// The state of the server that every connection looks at.
#[derive(Debug, Default)]
pub struct Situation {
    closing: OnceLock<Instant>,
    crowded: AtomicBool,
}

impl Situation {
    /// From now on each connection's next answer is its last.
    pub fn close(&self) {
        let _ = self.closing.set(Instant::now());
    }

    /// Since when all connections close, if they do.
    pub fn closing_since(&self) -> Option<Instant> {
        self.closing.get().copied()
    }

    /// Sets whether hardly any place is left, so that idle connections must make room.
    pub fn set_crowded(&self, crowded: bool) {
        self.crowded.store(crowded, Ordering::Relaxed);
    }

    /// Whether hardly any place is left.
    pub fn is_crowded(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }
}

/// The socket.
pub struct Socket {
    stream: TcpStream,
    patience: Patience,
    talk: Arc<Talk>,
    situation: Arc<Situation>,
    /// Since when nothing has been going on: the last byte of an answer, or the beginning.
    quiet_since: Instant,
    /// Whether there was an answer yet.
    has_answered: bool,
    /// When the first byte of the request being read came.
    head_began: Option<Instant>,
    /// By when the peer must have taken more of the answer; none while the answer flows.
    stalled_until: Option<Instant>,
    /// How much went out since that was set.
    progress: usize,
    /// Whether the peer said nothing more, or was given up on as idle: no need to linger.
    is_silent: bool,
    /// By when lingering ends, and for how many bytes more.
    linger: Option<(Instant, usize)>,
    /// Made when it is first needed. May ring too early, and is then set anew: most deadlines are put off long before they pass.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    /// A socket for a connection that was just made.
    pub fn new(stream: TcpStream, patience: Patience, talk: Arc<Talk>, situation: Arc<Situation>) -> Self {
        Self {
            stream,
            patience,
            talk,
            situation,
            quiet_since: Instant::now(),
            has_answered: false,
            head_began: None,
            stalled_until: None,
            progress: 0,
            is_silent: false,
            linger: None,
            alarm: None,
        }
    }

    /// By when the peer must have sent more; none if it is not the peer's turn.
    fn must_speak_by(&self) -> Option<Instant> {
        if self.talk.in_hand.load(Ordering::Relaxed) || self.stalled_until.is_some() {
            return None;
        }
        if let Some(began) = self.head_began {
            return Some(began + self.patience.head);
        }
        let patience = match (self.has_answered, self.situation.is_crowded()) {
            (false, _) => self.patience.first_byte,
            (true, false) => self.patience.keep_alive,
            (true, true) => self.patience.keep_alive_crowded,
        };
        let idle_until = self.quiet_since + patience;
        let last_call = self.situation.closing_since().map(|since| since.max(self.quiet_since) + LAST_CALL);
        Some(last_call.map_or(idle_until, |last_call| last_call.min(idle_until)))
    }

    /// Whether this instant has passed; if not, the task is woken when it does.
    fn has_passed(&mut self, deadline: Instant, context: &mut Context<'_>) -> bool {
        if Instant::now() >= deadline {
            return true;
        }
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if alarm.deadline() > deadline {
            alarm.as_mut().reset(deadline);
        }
        if alarm.as_mut().poll(context).is_pending() {
            return false;
        }
        alarm.as_mut().reset(deadline);
        alarm.as_mut().poll(context).is_ready()
    }

    /// Keeps account of a write.
    fn note_write(&mut self, written: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) => {
                self.has_answered = true;
                self.head_began = None;
                self.quiet_since = Instant::now();
                self.progress = self.progress.saturating_add(count);
                if self.progress >= PROGRESS_BYTES {
                    self.stalled_until = None;
                }
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                let until = match self.stalled_until {
                    Some(until) => until,
                    None => {
                        self.progress = 0;
                        *self.stalled_until.insert(Instant::now() + self.patience.write)
                    }
                };
                if self.has_passed(until, context) {
                    cut("write");
                    // What the system still holds for this peer goes with the connection.
                    let _ = self.stream.set_zero_linger();
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        written
    }
}

/// Counts a connection that was given up on.
fn cut(why: &'static str) {
    metrics::counter!("releve_http_connections_cut_total", "why" => why).increment(1);
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        match read {
            Poll::Ready(Ok(())) if buffer.filled().len() > before => {
                this.head_began.get_or_insert_with(Instant::now);
            }
            Poll::Ready(_) => this.is_silent = true,
            Poll::Pending => {
                let Some(deadline) = this.must_speak_by() else { return Poll::Pending };
                if !this.has_passed(deadline, context) {
                    return Poll::Pending;
                }
                this.is_silent = true;
                if this.head_began.is_some() {
                    cut("head");
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                // Idle: as if the peer had hung up.
                return Poll::Ready(Ok(()));
            }
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, buffer);
        this.note_write(written, context)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, buffers: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, buffers);
        this.note_write(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Asked for when everything was written.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.stalled_until = None;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    /// Says that no more will come, then reads whatever the peer still sends.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let (until, mut bytes_left) = match this.linger {
            Some(linger) => linger,
            None => {
                ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
                let linger = if this.situation.closing_since().is_some() { LAST_CALL } else { LINGER };
                (Instant::now() + linger, LINGER_BYTES_MAX)
            }
        };
        while !this.is_silent && bytes_left > 0 {
            let mut thrown_away = [0; 4096];
            let mut buffer = ReadBuf::new(&mut thrown_away);
            match Pin::new(&mut this.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => bytes_left = bytes_left.saturating_sub(buffer.filled().len()),
                Poll::Ready(_) => this.is_silent = true,
                Poll::Pending if this.has_passed(until, context) => this.is_silent = true,
                Poll::Pending => {
                    this.linger = Some((until, bytes_left));
                    return Poll::Pending;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

// The main road, walked with the generated client and nothing else: what compiles here strictly and runs is what an app gets. Only the
// code of the first letter is read where the demo shows its letters, as a member reads it in a mailbox.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as api from './clients/typescript/index.js';

const url = process.argv[2];
assert.ok(url, 'the address of a demo is wanted');

const DEMO_PASSWORD = 'plie-tendu-releve';
const DAY_MS = 86_400_000;

/** Every call, with the token of whoever makes them, or none. */
function calls(accessToken?: string) {
    const configuration = new api.Configuration({ basePath: url, ...(accessToken && { accessToken }), headers: { 'Accept-Language': 'en' } });
    return {
        signingIn: new api.SigningInApi(configuration),
        studios: new api.StudiosApi(configuration),
        schedule: new api.ScheduleApi(configuration),
        bookings: new api.BookingApi(configuration),
        passes: new api.PassesApi(configuration),
        letters: new api.LettersApi(configuration),
        account: new api.AccountApi(configuration),
        attendance: new api.AttendanceApi(configuration),
        frontDesk: new api.FrontDeskApi(configuration),
        planning: new api.PlanningApi(configuration),
        running: new api.RunningAStudioApi(configuration),
    };
}

async function signedIn(email: string) {
    const tokens = await calls().signingIn.signIn({ signIn: { email, password: DEMO_PASSWORD, device: 'the main road' } });
    assert.equal(tokens.tokenType, 'Bearer');
    return calls(tokens.accessToken);
}

/** The problem by which a call is refused, and the facts that come with it. */
async function refused(call: Promise<unknown>, status: number, type: string): Promise<api.Problem> {
    try {
        await call;
    } catch (error) {
        assert.ok(error instanceof api.ResponseError, `${type} was expected, not ${String(error)}`);
        assert.equal(error.response.headers.get('content-type'), 'application/problem+json');
        const problem = api.ProblemFromJSON(await error.response.json());
        assert.deepEqual([problem.status, problem.type], [status, type], problem.title);
        assert.ok(problem.title.length > 0 && problem.instance.length > 0);
        return problem;
    }
    return assert.fail(`${type} was expected, and the call was answered`);
}

/** What `look` finds, at the latest after ten seconds: letters leave a moment after what they tell of. */
async function soon<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < 100; tries += 1) {
        const found = await look();
        if (found !== undefined) return found;
        await sleep(100);
    }
    return assert.fail(`${what} did not come`);
}

function only<T>(found: T | null | undefined, what: string): T {
    assert.ok(found !== undefined && found !== null, `there is no ${what}`);
    return found;
}

/** The studio's date at an instant, as the client takes dates: midnight of that day wherever this runs. */
function localDate(instant: Date, timeZone: string): Date {
    const [year, month, day] = new Intl.DateTimeFormat('en-CA', { timeZone }).format(instant).split('-').map(Number);
    return new Date(year!, month! - 1, day!);
}

// An account of one's own, confirmed by the code of a letter.
const anyone = calls();
const email = `walk-${crypto.randomUUID()}@example.org`;
const password = 'demi-plie-and-stretch';
const pending = await anyone.signingIn.register({ registration: { email, password, name: 'Ana Walker', locale: 'en' } });
await refused(anyone.signingIn.signIn({ signIn: { email, password: 'not the password' } }), 401, '/problems/sign-in-refused');
const code = await soon('the code', async () => {
    const letters = await fetch(`${url}/dev/letters?to=${email}`);
    return /\b\d{8}\b/.exec(await letters.text())?.[0];
});
const { registrationToken } = pending;
const tokens = await anyone.signingIn.verifyEmail({ emailVerification: { email, code, registrationToken } });
const fresh = await anyone.signingIn.refreshTokens({ refreshRequest: { refreshToken: tokens.refreshToken } });
assert.notEqual(fresh.refreshToken, tokens.refreshToken);
const member = calls(fresh.accessToken);
const me = await member.account.showMe();
assert.deepEqual([me.email, me.emailVerified, me.name], [email, true, 'Ana Walker']);
const renamed = await member.account.changeMe({ myProfileChange: { phone: '+1 555 0100' } });
assert.deepEqual([renamed.name, renamed.phone], ['Ana Walker', '+1 555 0100']);

// The schedule, by anyone: a full class with a waitlist, and one with places at another time.
const { studios } = await anyone.studios.listStudios();
let full: api.SessionView | undefined;
let open: api.SessionView | undefined;
for (const studio of studios) {
    const from = localDate(new Date(), studio.timeZone);
    const to = localDate(new Date(Date.now() + 10 * DAY_MS), studio.timeZone);
    const { sessions } = await anyone.schedule.listSessions({ id: studio.id, from, to, limit: 200 });
    full = sessions.find((session) => session.status === 'scheduled' && session.placesLeft === 0 && session.waitlistOpen);
    if (full) {
        const elsewhere = (session: api.SessionView) => session.endsAt <= full!.startsAt || session.startsAt >= full!.endsAt;
        const later = (session: api.SessionView) => session.startsAt.getTime() > Date.now() + 2 * DAY_MS;
        open = sessions.find((session) => session.placesLeft > 1 && later(session) && elsewhere(session));
        break;
    }
}
full = only(full, 'full class with an open waitlist');
open = only(open, 'class with places');
const studioId = full.studioId;
const sessionId = open.id;
assert.equal(open.me ?? null, null);

// No pass, no place; and the desk sells one, once, however often it is sent.
await member.studios.joinStudio({ id: studioId });
const tap = crypto.randomUUID();
await refused(anyone.bookings.book({ id: tap, bookBody: { sessionId } }), 401, '/problems/sign-in-required');
await refused(member.bookings.book({ id: tap, bookBody: { sessionId } }), 402, '/problems/no-pass');
const desk = await signedIn('desk@demo.test');
const { members } = await desk.frontDesk.findMembers({ id: studioId, q: email });
assert.equal(only(members[0], 'member of that address').personId, me.id);
const { passTypes } = await anyone.studios.listPassTypes({ id: studioId });
const pack = only(
    passTypes.find((one) => one.kind === 'pack' && one.price),
    'pack with a price',
);
const price = only(pack.price, 'price');
const sale: api.SellPassRequest = {
    id: studioId,
    personId: me.id,
    idempotencyKey: crypto.randomUUID(),
    sellBody: { passTypeId: pack.id, paid: { amountMinor: price.amountMinor, currency: price.currency, method: 'card', reference: 'R-1' } },
};
const pass = await desk.frontDesk.sellPass(sale);
assert.equal((await desk.frontDesk.sellPass(sale)).id, pass.id);
await refused(
    desk.frontDesk.sellPass({ ...sale, sellBody: { passTypeId: pack.id } }),
    409,
    '/problems/idempotency-key-reused',
);
await refused(member.frontDesk.sellPass(sale), 403, '/problems/not-allowed');

// A place, with an id of the app's own: sent again it is the same booking.
const notAfter = new Date(Date.now() + 60_000).toISOString();
const first = await member.bookings.bookRaw({ id: tap, bookBody: { sessionId }, notAfter });
assert.equal(first.raw.status, 201);
const booking = await first.value();
assert.deepEqual([booking.id, booking.status, booking.passId, booking.personId], [tap, 'booked', pass.id, me.id]);
assert.equal(booking.session.startsAt.getTime(), open.startsAt.getTime());
assert.equal(only(booking.cancelNow, 'cost of cancelling').free, true);
assert.ok(only(booking.freeCancelUntil, 'free way out').getTime() < open.startsAt.getTime());
const again = await member.bookings.bookRaw({ id: tap, bookBody: { sessionId } });
assert.equal(again.raw.status, 200);
assert.equal((await again.value()).createdAt.getTime(), booking.createdAt.getTime());
await refused(member.bookings.book({ id: tap, bookBody: { sessionId: full.id } }), 409, '/problems/booking-id-reused');
const twice = await refused(member.bookings.book({ id: crypto.randomUUID(), bookBody: { sessionId } }), 409, '/problems/already-booked');
assert.equal(twice['booking_id'], tap);
await refused(
    member.bookings.book({ id: crypto.randomUUID(), bookBody: { sessionId: full.id }, notAfter: new Date(Date.now() - 60_000).toISOString() }),
    409,
    '/problems/tap-expired',
);
assert.equal(only((await member.schedule.showSession({ id: sessionId })).me, 'booking of mine in the class').bookingId, tap);

// A full class: refused with the facts, then waited for.
const wait = crypto.randomUUID();
await refused(member.bookings.book({ id: wait, bookBody: { sessionId: full.id } }), 409, '/problems/session-full');
const waiting = await member.bookings.book({ id: wait, bookBody: { sessionId: full.id, waitlist: true } });
assert.equal(waiting.status, 'waitlisted');
assert.equal(waiting.waitlistPosition, full.waitlistLength + 1);
assert.equal(waiting.credits, 0);
const upcoming = await member.bookings.listOwnBookings({ when: 'upcoming' });
assert.deepEqual(new Set(upcoming.bookings.map((one) => one.id)), new Set([tap, wait]));

// Both given back, the one because it costs nothing.
const left = await member.bookings.cancelBooking({ id: wait, bookingCancellation: { ifStatus: 'waitlisted' } });
assert.deepEqual([left.status, left.endedBy], ['cancelled', 'member']);
await refused(
    member.bookings.cancelBooking({ id: tap, bookingCancellation: { ifStatus: 'waitlisted' } }),
    409,
    '/problems/status-changed',
);
const cancelled = await member.bookings.cancelBooking({ id: tap, bookingCancellation: { ifFree: true } });
assert.deepEqual([cancelled.status, cancelled.creditsReturned], ['cancelled', booking.credits]);
const repeated = await member.bookings.cancelBooking({ id: tap, bookingCancellation: { ifFree: true } });
assert.equal(only(repeated.endedAt, 'end').getTime(), only(cancelled.endedAt, 'end').getTime());

// The pass has paid and was paid back, and its ledger says so.
const { passes } = await member.passes.listOwnPasses({});
const mine = only(
    passes.find((one) => one.id === pass.id),
    'pass of mine',
);
assert.equal(mine.creditsLeft, pack.credits);
const { entries } = await member.passes.showLedger({ id: pass.id });
assert.equal(
    entries.reduce((sum, entry) => sum + entry.credits, 0),
    pack.credits,
);
assert.ok(entries.some((entry) => entry.amount?.amountMinor === price.amountMinor && entry.amount.currency === price.currency));

// Every letter can be seen, and what became of it.
const letter = await soon('a letter about the booking', async () => {
    const { letters } = await member.letters.listOwnLetters({});
    return letters.find((one) => one.bookingId === tap && one.state === 'sent');
});
assert.ok(only(letter.text, 'text').length > 0);
assert.ok(only(letter.sentAt, 'instant of sending').getTime() >= letter.createdAt.getTime());

// Those who run the studio: the roster; a change looked at first, then made, against the version that was read.
const admin = await signedIn('admin@demo.test');
const roster = await admin.attendance.showRoster({ id: full.id });
assert.equal(roster.booked.length, full.booked);
assert.equal(roster.waitlist.length, full.waitlistLength);
const edit: api.ChangeSessionRequest = { id: sessionId, ifMatch: `"${open.version}"`, changeSessionBody: { capacity: open.capacity - 1 } };
const preview = await admin.planning.changeSession({ ...edit, dryRun: true });
assert.ok(preview.outcome === 'preview', 'a preview was asked for');
assert.deepEqual(preview.bookings, []);
const changed = await admin.planning.changeSession(edit);
assert.ok(changed.outcome === 'done', 'a session was changed');
assert.deepEqual([changed.capacity, changed.version], [open.capacity - 1, open.version + 1]);
await refused(admin.planning.changeSession(edit), 412, '/problems/version-stale');
const rules = await admin.running.showHouseRules({ id: studioId });
assert.equal(rules.studioId, studioId);
const wrong = await refused(admin.running.addRoom({ id: studioId, newRoom: { name: '', capacity: 4 } }), 422, '/problems/invalid-fields');
assert.equal(only(wrong.errors?.[0], 'field that is not right').field, 'name');

// And out.
await member.signingIn.signOut();
await refused(member.account.showMe(), 401, '/problems/token-refused');

console.log('the main road was walked');

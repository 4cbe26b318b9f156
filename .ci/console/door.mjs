// Takes attendance of a class of twenty at a kiosk of the size of a phone: twenty codes within a minute, with the network off for half of
// them. Fails unless each of them is one arrival, and unless the page opens and says so without a network.
//
//   releve demo --data /tmp/demo --port 3000 --fresh &
//   npm ci --prefix .ci/console && node .ci/console/door.mjs http://127.0.0.1:3000 var/console
import assert from "node:assert/strict";
import fs from "node:fs";
import { randomUUID } from "node:crypto";
import { chromium } from "playwright-core";

const [base = "http://127.0.0.1:3000", pictures = "var/console"] = process.argv.slice(2);
const password = "plie-tendu-releve";
const SIZE = 20;
const WITHIN_MS = 60_000;
fs.mkdirSync(pictures, { recursive: true });

async function call(method, path, token, body, headers = {}) {
  const answer = await fetch(base + path, {
    method, headers: { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }), ...headers }, body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}
const signIn = async (who) => (await call("POST", "/v1/tokens", null, { email: `${who}@demo.test`, password })).access_token;

// A class for which the door is open now, and twenty who have booked it.
const owner = await signIn("owner");
const { studios } = await call("GET", "/v1/studios");
const studio = studios.find(({ time_zone }) => time_zone === "America/New_York");
const id = studio.id;
const { class_types } = await call("GET", `/v1/studios/${id}/class-types`, owner);
const { instructors } = await call("GET", `/v1/studios/${id}/instructors`, owner);
const room = await call("POST", `/v1/studios/${id}/rooms`, owner, { name: "The walk", capacity: SIZE });
const start = new Date(Date.now() + 15 * 60_000);
const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: studio.time_zone, dateStyle: "short", timeStyle: "short" }).format(start).replace(" ", "T");
let session;
// Whoever teaches elsewhere just then cannot; one of them is free.
for (const instructor of instructors) {
  const body = { class_type_id: class_types[0].id, room_id: room.id, instructor_id: instructor.person_id ?? instructor.id, local_start: parts };
  session = await call("POST", `/v1/studios/${id}/sessions`, owner, body).catch((error) => { session = error; });
  if (session?.id) break;
}
assert(session?.id, `no class could be made: ${session}`);
const codes = [];
const { members } = await call("GET", `/v1/studios/${id}/members?limit=60`, owner);
for (const { person_id } of members) {
  if (codes.length === SIZE) break;
  // Whoever is in another class just then is left out.
  const booking = { session_id: session.id, person_id, unpaid: true, reason: "the walk" };
  const booked = await call("PUT", `/v1/bookings/${randomUUID()}`, owner, booking).catch(() => undefined);
  if (booked?.status === "booked") codes.push(booked.check_in_code);
}
assert.equal(codes.length, SIZE, "too few members could book");

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
const page = await context.newPage();
const failures = [];
page.on("pageerror", (error) => failures.push(error.message));
await page.goto(`${base}/console/sign-in`);
await page.fill("#email", "owner@demo.test");
await page.fill("#password", password);
await page.click("form:has(#email) button");
await page.waitForURL((url) => !url.pathname.endsWith("/sign-in"));
await page.goto(`${base}/console/${id}/kiosk`);
await page.screenshot({ path: `${pictures}/kiosks-390.png`, fullPage: true });
await page.fill("#name", "The walk");
await page.click("form:has(#name) button");
await page.waitForURL(`${base}/console/kiosk`);
await page.waitForSelector("#next:not(:empty)");
// The page is kept once its worker has it; nobody is signed in any more.
await page.evaluate(async () => {
  await navigator.serviceWorker.ready;
  while (!(await caches.match("/console/kiosk", { ignoreVary: true }))) await new Promise((resolve) => setTimeout(resolve, 50));
});
assert.match((await page.request.get(`${base}/console/${id}/today`)).url(), /sign-in/);
await page.screenshot({ path: `${pictures}/door-idle-390.png` });

const unsent = () => page.$eval("#unsent", (element) => Number(element.dataset.count));
const show = async (code, tone) => {
  const before = await page.textContent("#said");
  await page.fill("#code", code);
  await page.keyboard.press("Enter");
  await page.waitForFunction(([before, tone]) => document.getElementById("verdict").className.startsWith(tone) && document.getElementById("said").textContent !== before, [before, tone]);
};
const began = Date.now();
for (const code of codes.slice(0, 5)) await show(code, "yes");
await page.screenshot({ path: `${pictures}/door-yes-390.png` });
await context.setOffline(true);
for (const code of codes.slice(5, 10)) await show(code, "yes");
assert.equal(await unsent(), 5, "what was shown without a network waits");
// It is switched off and on again without one.
await page.reload();
await page.waitForFunction(() => document.getElementById("unsent").dataset.count === "5");
for (const code of codes.slice(10, 15)) await show(code, "yes");
// Shown once more, they are in; a code of nobody's waits for the studio's word.
await show(codes[6], "yes");
assert.match(await page.textContent("#lines"), /already/);
await show("A".repeat(32), "kept");
await page.screenshot({ path: `${pictures}/door-offline-390.png` });
await context.setOffline(false);
for (const code of codes.slice(15)) await show(code, "yes");
await page.waitForFunction(() => document.getElementById("unsent").hidden, null, { timeout: 30_000 });
const took = Date.now() - began;
await show("https://example.test/not-a-code", "no");
await page.screenshot({ path: `${pictures}/door-no-390.png` });
assert(took < WITHIN_MS, `it took ${took} ms`);

const roster = await call("GET", `/v1/sessions/${session.id}/roster`, owner);
const here = roster.booked.filter(({ status, arrived_at }) => status === "attended" && arrived_at);
assert.equal(here.length, SIZE, "each is in");
assert.equal(roster.booked.length, SIZE, "once");
assert.equal(await page.textContent("#refused-count"), "1 could not be checked in");
assert.deepEqual(failures, []);

// Taken away, it keeps nothing.
const { kiosks } = await call("GET", `/v1/studios/${id}/kiosks`, owner);
for (const kiosk of kiosks.filter(({ name }) => name === "The walk")) await call("DELETE", `/v1/studios/${id}/kiosks/${kiosk.id}`, owner);
await page.fill("#code", codes[0]);
await page.keyboard.press("Enter");
await page.waitForSelector("#door[data-state=none]");
await page.screenshot({ path: `${pictures}/door-none-390.png` });
await browser.close();
console.log(`${SIZE} codes, half of them without a network: each one arrival, in ${(took / 1000).toFixed(1)} s`);

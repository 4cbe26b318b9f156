// An admin's walk through the planning of a demo's console in Chromium. A series is begun and looked at, a class is dragged to another day (and
// the form says what would come of it), what a closing day and a copied week come to is looked at, a member is erased. Second factors are set up
// with nothing but the browser, and a page that is open hears what is written on another one. Looks at each page as look.mjs does.
//
//   releve demo --data /tmp/demo --port 3000 &
//   npm ci --prefix .ci/console && node .ci/console/planning.mjs http://127.0.0.1:3000 var/console
import { chromium } from "playwright-core";
import fs from "node:fs";
import crypto from "node:crypto";
import { createRequire } from "node:module";

const [base = "http://127.0.0.1:3000", pictures = "var/console"] = process.argv.slice(2);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const password = "plie-tendu-releve";
fs.mkdirSync(pictures, { recursive: true });
let wrong = 0;
const complain = (what) => { wrong++; console.log(what); };
const expect = (right, what) => { if (!right) complain(what); };
const inDays = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);

// The code that an authenticator app shows now (RFC 6238).
function totp(secret) {
  const bits = [...secret].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = crypto.createHmac("sha1", key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

async function open(browser, { who, width, scheme, at = base }) {
  const context = await browser.newContext({ viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme: scheme, reducedMotion: "reduce", bypassCSP: true });
  context.setDefaultTimeout(120_000);
  await context.addCookies([{ name: "releve_language", value: "en", url: at }]);
  const page = await context.newPage();
  page.on("pageerror", (error) => complain(`${page.url()}: ${error.message}`));
  const look = async (name) => {
    const where = `planning-${name} ${width} ${scheme}`;
    await page.addScriptTag({ content: axe });
    const { violations } = await page.evaluate((rules) => axe.run(document, { runOnly: rules }), rules);
    for (const { id, nodes } of violations) complain(`${where}: ${id}: ${nodes[0].html.slice(0, 200)}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) complain(`${where}: it scrolls sideways`);
    await page.screenshot({ path: `${pictures}/${where.replaceAll(" ", "-")}.png`, fullPage: true });
  };
  await page.goto(`${at}/console/sign-in`);
  await page.fill("#email", `${who}@demo.test`);
  await page.fill("#password", password);
  await page.click("form:has(#email) button");
  await page.waitForURL((url) => !url.pathname.endsWith("/sign-in"));
  await page.goto(`${at}/console`);
  const choices = await page.$$eval(".choices a", (links) => links.map((link) => link.getAttribute("href")));
  const studio = (choices[0] ?? new URL(page.url()).pathname).replace(/\/today$/, "");
  return { context, page, look, studio };
}

const says = async (page, what) => expect((await page.textContent("#main")).includes(what), `${page.url()} does not say: ${what}`);

async function plan(browser, { width, scheme, time, day }) {
  const { context, page, look, studio } = await open(browser, { who: "admin", width, scheme });
  // A series, on a day and at a time at which nobody teaches.
  await page.goto(`${base}${studio}/series/new`);
  await page.check(`#${day}`);
  await page.fill("#time", time);
  await page.fill("#until", inDays(60));
  await look("new-series");
  await page.click("main form .first");
  if (await page.$("#meant")) {
    await page.check("#meant");
    await page.click("main form .first");
  }
  await page.waitForURL(/\/series\/[0-9a-f-]+/);
  await says(page, "The series has begun.");
  await look("series");
  await page.click("text=Change all to come");
  expect(await page.inputValue("#scope") === "all", "the whole series is meant");
  await look("edit-series");
  await page.goto(`${base}${studio}/series`);
  await look("all-series");

  // A class is dragged to the day after: its form opens there.
  if (width > 1000) {
    await page.goto(`${base}${studio}/schedule?week=${inDays(7)}`);
    const from = page.locator("[data-move]").first();
    const places = page.locator("[data-place]");
    const at = await from.evaluate((slot) => [...document.querySelectorAll("[data-place]")].indexOf(slot.closest("[data-place]")));
    const to = places.nth(at === 0 ? 1 : at - 1);
    const day = (await to.getAttribute("data-place")).replace("start=", "");
    await from.dragTo(to);
    await page.waitForURL(/\/edit\?start=/);
    expect((await page.inputValue("#start")).startsWith(day), `the form says ${await page.inputValue("#start")}, not ${day}`);
    await look("moved");
  }

  // A day with classes: whose they are is shown before.
  await page.goto(`${base}${studio}/closing-days`);
  await page.fill("#first", inDays(3));
  await page.fill("#note", "The boiler");
  await page.click("main form .first");
  await page.waitForSelector("#consequences");
  await look("closing");
  await page.goto(`${base}${studio}/schedule/copy`);
  await page.click("main form .first");
  await page.waitForSelector("text=Classes that are copied:");
  await look("copying");

  // A pass is frozen.
  await page.goto(`${base}${studio}/members`);
  await page.click(".list a >> nth=0");
  await page.click(".people .name a[href*='/passes/'] >> nth=0");
  await page.evaluate(() => document.querySelectorAll("details.panel").forEach((panel) => { panel.open = true; }));
  await look("pass");

  // Whoever was entered by a desk and has no account is erased by their name.
  await page.goto(`${base}${studio}/members/new`);
  await page.fill("#name", "Nobody Here");
  await page.click("main form .first");
  await page.waitForURL(/\/members\/[0-9a-f]{8}-/);
  await page.click("text=Erase this member");
  await page.fill("#name", "Somebody");
  await page.click("main form .danger");
  await says(page, "This is not the name.");
  await look("erase");
  await page.fill("#name", "Nobody Here");
  await page.click("main form .danger");
  await says(page, "The member was erased.");
  await context.close();
}

async function setUp(browser, { who, width, scheme }) {
  const { context, page, look } = await open(browser, { who, width, scheme });
  await page.goto(`${base}/console/account`);
  await page.fill("#password", password);
  await look("account");
  await page.click("text=Go on");
  await page.waitForSelector(".qr");
  await look("factor");
  const secret = await page.textContent(".key code");
  await page.fill("#code", totp(secret));
  await page.click("text=Switch it on");
  await page.waitForSelector(".codes");
  expect(await page.locator(".codes code").count() === 10, "there are ten recovery codes");
  const code = await page.locator(".codes code").first().textContent();
  await look("codes");
  await page.click("text=I have kept them");
  await says(page, "Recovery codes left: 10");
  await page.click("text=Take it away");
  await page.fill("[id^=p-]", password);
  await page.fill("[id^=c-]", code);
  await look("factor-on");
  await page.click("form[action$='/removal'] button");
  await says(page, "The second factor counts no more.");
  await context.close();
}

// An authenticator that says yes: a passkey is made, is the second step, and stands in for a code.
async function addPasskey(browser, { who, width, scheme }) {
  const { context, page, look, studio } = await open(browser, { who, width, scheme, at: base.replace("127.0.0.1", "localhost") });
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  await devtools.send("WebAuthn.addVirtualAuthenticator", { options });
  const here = new URL(page.url()).origin;
  await page.goto(`${here}/console/account`);
  await page.click("text=Add a passkey");
  await page.fill("#passkey-name", "This one");
  await page.fill("#passkey-password", password);
  await page.click("form[action$='/passkeys'] .first");
  await page.waitForSelector("[data-new-passkey]:not([hidden])");
  await look("passkey");
  await page.click("[data-new-passkey] button");
  await page.waitForSelector(".codes");
  await page.click("text=I have kept them");
  await says(page, "Passkey: This one");
  await page.goto(`${here}${studio}/members`);
  await page.click(".me summary");
  await page.click("text=Sign out");
  await page.fill("#email", `${who}@demo.test`);
  await page.fill("#password", password);
  await page.click("form:has(#email) button");
  await page.waitForSelector("[data-passkey]:not([hidden])");
  await look("second-step");
  await page.click("[data-passkey] button");
  await page.waitForURL((url) => !url.pathname.includes("/sign-in"));
  await page.goto(`${here}/console/account`);
  await page.click("text=Take it away");
  await page.fill("[id^=p-]", password);
  await page.click("form[action$='/removal'] [data-prove]");
  await page.waitForSelector("text=The second factor counts no more.");
  await context.close();
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
await plan(browser, { width: 1440, scheme: "light", time: "05:10", day: "su" });
await plan(browser, { width: 390, scheme: "dark", time: "05:10", day: "sa" });
await setUp(browser, { who: "desk", width: 1440, scheme: "dark" });
await setUp(browser, { who: "instructor1", width: 390, scheme: "light" });
// A class's page that is open somewhere shows what is written on another one, without being asked.
async function hear(browser) {
  const listening = await open(browser, { who: "admin", width: 390, scheme: "light" });
  const writing = await open(browser, { who: "owner", width: 1440, scheme: "light" });
  await writing.page.goto(`${base}${listening.studio}/schedule`);
  const session = await writing.page.$$eval(".slot.scheduled a", (links) => links.at(-1).getAttribute("href"));
  const opened = listening.page.waitForResponse((answer) => answer.url().endsWith("/live"));
  await listening.page.goto(base + session);
  expect((await opened).headers()["content-type"] === "text/event-stream", "a page that lives opens a stream");
  await listening.page.waitForTimeout(1_000);
  let asked = 0;
  listening.page.on("request", (request) => { asked += request.url().endsWith("/changes"); });
  await writing.page.goto(base + session);
  await writing.page.fill("[name=members]", "Bring socks with grip");
  const began = Date.now();
  await writing.page.click("form[action$='/notes'] button");
  await listening.page.waitForFunction(() => document.querySelector("[name=members]").value === "Bring socks with grip", null, { polling: 50 });
  console.log(`an open page knew it ${Date.now() - began} ms after the button`);
  expect(asked === 0, "it hears of it without asking");
  await listening.context.close();
  await writing.context.close();
}

await hear(browser);
await addPasskey(browser, { who: "admin", width: 390, scheme: "light" });
await browser.close();
console.log(wrong ? `${wrong} to mend` : `nothing to mend; the pictures are in ${pictures}`);
process.exit(wrong ? 1 : 0);

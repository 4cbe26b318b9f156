// Looks at every page of a demo's console in Chromium: on a phone and on a desk, light and dark, in each language. Fails where axe-core finds
// something wrong, where a page scrolls sideways, or where one does not answer; keeps a picture of each.
//
//   releve demo --data /tmp/demo --port 3000 &
//   npm ci --prefix .ci/console && node .ci/console/look.mjs http://127.0.0.1:3000 var/console [monday,attendance]
import { chromium } from "playwright-core";
import fs from "node:fs";
import { createRequire } from "node:module";
import zlib from "node:zlib";

const [base = "http://127.0.0.1:3000", pictures = "var/console", only = ""] = process.argv.slice(2);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const password = "plie-tendu-releve";
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
fs.mkdirSync(pictures, { recursive: true });
let wrong = 0;
const complain = (what) => { wrong++; console.log(what); };

// What a page weighs on its first load, with its files, as a proxy compresses it.
const WEIGHT_MAX = 100 * 1024;
let heaviest = { name: "", bytes: 0 };
const filesSeen = new Map();
async function weigh(page, answer, name) {
  let bytes = zlib.gzipSync(await answer.body()).length;
  const files = await page.evaluate(() => performance.getEntriesByType("resource").map((file) => file.name).filter((name) => name.includes("/files/")));
  for (const file of new Set(files)) {
    if (!filesSeen.has(file)) filesSeen.set(file, zlib.gzipSync(Buffer.from(await (await fetch(file)).arrayBuffer())).length);
    bytes += filesSeen.get(file);
  }
  if (bytes > heaviest.bytes) heaviest = { name, bytes };
  if (bytes > WEIGHT_MAX) complain(`${name}: ${bytes} bytes to load`);
}

// A page by its address below the studio's, or by what is found on the page before.
const link = (selector) => (page) => page.$$eval(selector, (links) => links.at(-1)?.getAttribute("href"));
const ofLast = (verb) => async (page, studio) => {
  await page.goto(`${base}${studio}/schedule`);
  // The last of the week in which somebody is, if anybody is in any.
  const last = await page.$$eval(".slot.scheduled a", (links) => {
    const taken = (link) => /[1-9]\d*\s*\/\s*\d/.test(link.closest(".slot").textContent);
    return (links.findLast(taken) ?? links.at(-1))?.getAttribute("href");
  });
  return last && last + verb;
};
// The first that a page lists.
const firstOf = (address, selector) => async (page, studio) => {
  await page.goto(base + studio + address);
  return page.$eval(selector, (found) => found.getAttribute("href"));
};
// A file with a line that is known, one that is new and one that is not right; then what became of it.
const sendFile = async (page, studio) => {
  await page.goto(`${base}${studio}/imports`);
  const lines = `Full name,Email Address,Balance\nDemo Person,person-${Date.now()}@demo.test,0\n,nobody@demo.test,1\n`;
  await page.setInputFiles("#file", { name: "members.csv", mimeType: "text/csv", buffer: Buffer.from(lines) });
  await page.click("form:has(#file) button");
  return new URL(page.url()).pathname;
};
const carryOut = async (page) => {
  await page.click("form[action$='/file/run'] button");
  await page.waitForSelector("a[href$='/skipped']", { timeout: 60_000 });
  return new URL(page.url()).pathname;
};
const found = (list, selector) => async (page, studio) => { await page.goto(`${base}${studio}${list}`); return link(selector)(page); };
const ofMember = (verb) => async (page, studio) => { const member = await found("/members", ".list a[href*='/members/']")(page, studio); return member && member.split("?")[0] + verb; };
const ALL = {
  today: "/today", kiosks: "/kiosk", schedule: "/schedule", session: ofLast(""), member: link(".people .name a"), booking: link(".people .name a[href*='/bookings/']"),
  "walk-in": ofLast("/walk-in"), edit: ofLast("/edit"), cancel: ofLast("/cancel"), new: "/sessions/new", members: "/members", enter: "/members/new", letters: "/letters", previews: "/letters/preview?kind=promoted&language=zh-Hant",
  series: "/series", "new-series": "/series/new", copy: "/schedule/copy", closing: "/closing-days", substitutes: "/substitutes",
  substitute: ofLast("/substitute"), "by-room": "/schedule?by=room", "by-instructor": "/schedule?by=instructor",
  merge: ofMember("/merge"), pass: async (page, studio) => { await page.goto(base + await ofMember("")(page, studio)); return link(".people .name a[href*='/passes/']")(page); },
  account: async () => "/console/account",
  trail: "/trail", imports: "/imports", "pass-types": "/pass-types", "new-pass-type": "/pass-types/new", "pass-type": firstOf("/pass-types", ".offers a"),
  team: "/team", "team-member": firstOf("/team", "main .list a"),
  rules: "/house-rules", setup: "/setup", room: firstOf("/setup", "main a[href*='/rooms/']"), "class-type": firstOf("/setup", "main a[href*='/class-types/']"), "new-studio": async () => "/console/new-studio", monday: "/monday", attendance: "/attendance", behind: "/attendance/sessions", settings: "/settings",
};
// An admin has one file that waits: one after the other.
const FILES = { file: sendFile, import: carryOut };
const { today, schedule, series, substitutes, account } = ALL;
const ROLES = {
  admin: { today, trail: ALL.trail, imports: ALL.imports, "pass-types": ALL["pass-types"], team: ALL.team, monday: ALL.monday, attendance: ALL.attendance, settings: ALL.settings, kiosks: ALL.kiosks, closing: ALL.closing, "new-series": ALL["new-series"], merge: ALL.merge },
  desk: { today, schedule, session: ALL.session, "walk-in": ALL["walk-in"], members: ALL.members, enter: ALL.enter, series, substitutes, pass: ALL.pass, account },
  instructor1: { today, schedule, series, "new-series": ALL["new-series"], substitutes, availability: "/availability", "by-instructor": ALL["by-instructor"] },
};

async function walk(browser, { who, width, scheme, language, studio: nth = 0, pages }) {
  const context = await browser.newContext({ viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme: scheme, reducedMotion: "reduce", bypassCSP: true });
  // A picture of a long page takes its time on a busy machine.
  context.setDefaultTimeout(120_000);
  await context.addCookies([{ name: "releve_language", value: language, url: base }]);
  const page = await context.newPage();
  page.on("pageerror", (error) => complain(`${page.url()}: ${error.message}`));
  const look = async (name) => {
    const where = `${name} ${who} ${width} ${scheme} ${language}`;
    await page.addScriptTag({ content: axe });
    const { violations } = await page.evaluate((rules) => axe.run(document, { runOnly: rules }), rules);
    for (const { id, nodes } of violations) complain(`${where}: ${id}: ${nodes[0].html.slice(0, 200)}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) complain(`${where}: it scrolls sideways`);
    await page.screenshot({ path: `${pictures}/${where.replaceAll(" ", "-")}.png`, fullPage: true });
  };
  await page.goto(`${base}/console/sign-in`);
  await look("sign-in");
  await page.fill("#email", `${who}@demo.test`);
  await page.fill("#password", password);
  await page.click("form:has(#email) button");
  await page.waitForURL((url) => !url.pathname.endsWith("/sign-in"));
  const choices = await page.$$eval(".choices a", (links) => links.map((link) => link.getAttribute("href")));
  if (choices.length) await look("home");
  const studio = (choices[nth] ?? new URL(page.url()).pathname).replace(/\/today$/, "");
  for (const [name, address] of Object.entries(pages)) {
    if (only && !only.split(",").includes(name)) continue;
    const path = typeof address === "string" ? studio + address : await address(page, studio);
    if (!path) { complain(`${name}: there is none to look at`); continue; }
    const answer = await page.goto(base + path);
    if (answer.status() !== 200) complain(`${name} ${who}: ${answer.status()}`);
    await weigh(page, answer, name);
    await page.evaluate(() => document.querySelectorAll("details.panel, main .chart details").forEach((panel) => { panel.open = true; }));
    await look(name);
  }
  await context.close();
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const owners = [[1440, "light", "en", 1], [390, "light", "zh-Hans", 0], [1440, "dark", "zh-Hant", 0], [390, "dark", "en", 1], [320, "light", "en", 1]]
  .map(([width, scheme, language, studio]) => ({ who: "owner", width, scheme, language, studio, pages: ALL }));
const walks = [...owners];
for (const [who, pages] of Object.entries(ROLES)) {
  for (const [width, scheme, language] of [[390, "light", "zh-Hans"], [1440, "dark", "en"]]) walks.push({ who, width, scheme, language, pages });
}
// A few beside each other: most of a page's time is waiting.
await Promise.all(Array.from({ length: 3 }, async () => {
  for (let next = walks.shift(); next; next = walks.shift()) await walk(browser, next);
}));
for (const one of owners) await walk(browser, { ...one, pages: FILES });
await browser.close();
console.log(`the heaviest page: ${heaviest.name}, ${Math.ceil(heaviest.bytes / 1024)} KB`);
console.log(wrong ? `${wrong} to mend` : `nothing to mend; the pictures are in ${pictures}`);
process.exit(wrong ? 1 : 0);

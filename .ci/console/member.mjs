// A member's walk through a demo's public pages in Chromium: from the schedule in another website to the class, an account, back to that
// class; then signed in, booked, cancelled, and read without network. Looks at each page as look.mjs does.
//
//   releve demo --data /tmp/demo --port 3000 &
//   npm ci --prefix .ci/console && node .ci/console/member.mjs http://127.0.0.1:3000 var/public
import { chromium } from "playwright-core";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";

const [base = "http://127.0.0.1:3000", pictures = "var/public"] = process.argv.slice(2);
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
fs.mkdirSync(pictures, { recursive: true });
let wrong = 0;
const complain = (what) => { wrong++; console.log(what); };
const expect = (right, what) => { if (!right) complain(what); };
const { studios } = await (await fetch(`${base}/v1/studios`)).json();

async function walk(browser, { width, scheme, language, studio }) {
  const context = await browser.newContext({ viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme: scheme, reducedMotion: "reduce" });
  await context.addCookies([{ name: "releve_language", value: language, url: base }]);
  const page = await context.newPage();
  page.on("pageerror", (error) => complain(`${page.url()}: ${error.message}`));
  page.on("console", (line) => { if (line.type() === "error" && !line.text().startsWith("Failed to load resource")) complain(`${page.url()}: ${line.text()}`); });
  const look = async (name) => {
    const where = `${name} ${width} ${scheme} ${language}`;
    await page.evaluate(axe);
    const { violations } = await page.evaluate((rules) => axe.run(document, { runOnly: rules }), rules);
    for (const { id, nodes } of violations) complain(`${where}: ${id}: ${nodes[0].html.slice(0, 200)}`);
    if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) complain(`${where}: it scrolls sideways`);
    await page.screenshot({ path: `${pictures}/${where.replaceAll(" ", "-")}.png`, fullPage: true });
  };

  const signOut = async () => {
    await page.click("[data-forget] button");
    await page.waitForURL(/\/me\/sign-in$/);
  };

  // The schedule as it stands in a studio's website, on another origin.
  const website = http.createServer((_, answer) => {
    answer.setHeader("content-type", "text/html; charset=utf-8");
    answer.end(`<!doctype html><html lang="${language}"><title>A studio</title><body><main><h1>A studio</h1><div data-releve-studio="${studio}"></div></main><script src="${base}/s/embed.js" async></script>`);
  });
  await new Promise((ready) => website.listen(0, "127.0.0.1", ready));
  await page.goto(`http://localhost:${website.address().port}/`);
  const frame = page.frameLocator("iframe");
  const open = frame.locator(".class.free a").last();
  await open.waitFor();
  await page.waitForFunction(() => document.querySelector("iframe").style.height !== "40rem").catch(() => complain("the frame is not made as high as its page"));
  await open.click();
  await page.waitForURL(/\/s\/[^/]+\/classes\//);
  const chosen = new URL(page.url()).pathname;
  await look("class");
  website.close();

  for (const [name, path] of [["schedule", `/s/${studio}`], ["sign-up", "/me/sign-up"], ["forgotten", "/me/forgotten"], ["invitation", "/me/invitation#7K3M-9QXT-2B4C-HN8P"]]) {
    await page.goto(base + path);
    await look(name);
  }

  expect(await page.inputValue("#code") === "7K3M-9QXT-2B4C-HN8P" && !page.url().includes("#"), "the code of an invitation's link is not filled in, or stays in the address");

  // An account is made for that class, and lands on it.
  const email = `new-${width}-${scheme}-${Date.now()}@demo.test`;
  await page.goto(`${base}${chosen}`);
  await page.click("a[href*='/me/sign-up']");
  await page.fill("#name", "Demo Visitor");
  await page.fill("#email", email);
  await page.fill("#password", "grand-battement-7");
  await page.click("form.stack button");
  await page.waitForSelector("#code");
  await look("code");
  let code;
  for (let tries = 0; tries < 40 && !code; tries++) {
    const letters = await (await fetch(`${base}/dev/letters?to=${encodeURIComponent(email)}`)).text();
    code = letters.match(/^ {4}(\d{8})$/m)?.[1];
    if (!code) await new Promise((later) => setTimeout(later, 500));
  }
  await page.fill("#code", code ?? "");
  await page.click("form.stack button");
  await page.waitForURL(base + chosen).catch(() => complain(`who made an account for ${chosen} is at ${page.url()}`));
  await look("class-without-pass");
  await signOut();

  // A member signs in there, books, and cancels with the cost told before.
  await page.goto(base + chosen);
  await page.click("a[href*='/me/sign-in?next']");
  await look("sign-in");
  await page.fill("#email", "member9@demo.test");
  await page.fill("#password", "plie-tendu-releve");
  await page.click("form.stack button");
  await page.waitForURL(base + chosen);
  await look("class-to-book");
  await page.click("form[action*='/classes/'] button");
  await page.waitForURL(/\/b\//);
  const booking = page.url();
  await look("booking");
  for (const name of ["", "/passes", "/letters", "/pocket"]) {
    await page.goto(`${base}/me${name}`);
    await look(`me${name.replace("/", "-")}`);
  }

  // Without network: what was booked, as of when; on the network again, what is.
  await page.goto(`${base}/me`);
  await page.waitForFunction(async () => (await caches.match("/me/pocket")) !== undefined, null, { polling: 200, timeout: 10_000 }).catch(() => complain("the phone keeps nothing"));
  await context.setOffline(true);
  await page.goto(booking).catch(() => {});
  expect(await page.$(".note svg, .bookings .code svg"), "no code is shown without network");
  expect(await page.$("main > .note"), "what is shown without network does not say as of when");
  await context.setOffline(false);

  await page.goto(booking);
  expect((await page.textContent("#cost"))?.trim(), "the cost of cancelling is not told");
  await page.click("form.cancel button");
  await page.waitForSelector(".toast");
  await look("cancelled");
  await signOut();
  await context.close();
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
for (const [width, scheme, language, nth] of [[390, "light", "en", 1], [390, "dark", "zh-Hans", 0], [1440, "light", "zh-Hans", 0], [1440, "dark", "en", 1], [320, "light", "en", 1]]) {
  const studio = studios[nth].id;
  await walk(browser, { width, scheme, language, studio }).catch((error) => complain(`${width} ${scheme} ${language}: ${error.stack}`));
}
await browser.close();
console.log(wrong ? `${wrong} to mend` : `nothing to mend; the pictures are in ${pictures}`);
process.exit(wrong ? 1 : 0);

// Takes the two pictures with which README begins, of a demo in Chromium: `.ci/console/run readme` writes them to target/console/pictures, from
// where they are copied to docs/pictures.
//
//   releve demo --data /tmp/demo --port 3000 &
//   npm ci --prefix .ci/console && node .ci/console/readme.mjs http://127.0.0.1:3000 docs/pictures
import { chromium } from "playwright-core";
import fs from "node:fs";

const [base = "http://127.0.0.1:3000", pictures = "docs/pictures"] = process.argv.slice(2);
fs.mkdirSync(pictures, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, colorScheme: "light", reducedMotion: "reduce", bypassCSP: true });
await context.addCookies([{ name: "releve_language", value: "en", url: base }]);
const page = await context.newPage();
await page.goto(`${base}/console/sign-in`);
await page.fill("#email", "admin@demo.test");
await page.fill("#password", "plie-tendu-releve");
await page.click("form:has(#email) button");
await page.waitForURL((url) => !url.pathname.endsWith("/sign-in"));
const studios = await page.$$eval(".choices a", (links) => links.map((link) => link.getAttribute("href").replace(/\/today$/, "")));
for (const [name, path] of [["schedule", "/schedule"], ["attendance", "/attendance"]]) {
  await page.goto(base + studios.at(-1) + path);
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: `${pictures}/${name}.png` });
}
await browser.close();

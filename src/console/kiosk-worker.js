// Keeps the page of the door on the device, so that it opens without a network. It keeps the page and its files, and nothing of what is
// asked of the studio.
"use strict";

const KEPT = "kiosk";
const PAGE = "/console/kiosk";
const PATIENCE_MS = 4000;

// A page with all its files, or the one before.
async function keep(answer) {
  if (!answer.ok || answer.redirected) return;
  const text = await answer.clone().text();
  const files = [...new Set(text.match(/\/console\/files\/[\w/.-]+/g) || [])];
  const cache = await caches.open(KEPT);
  const missing = [];
  for (const file of files) if (!(await cache.match(file))) missing.push(file);
  await cache.addAll(missing);
  await cache.put(PAGE, answer);
  for (const known of await cache.keys()) {
    const path = new URL(known.url).pathname;
    if (path !== PAGE && !files.includes(path)) await cache.delete(known);
  }
}

async function page(event) {
  try {
    const answer = await fetch(event.request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (!answer.ok) throw new Error(answer.status);
    event.waitUntil(keep(answer.clone()).catch(() => {}));
    return answer;
  } catch {
    return (await caches.match(PAGE, { ignoreVary: true })) || Response.error();
  }
}

async function file(request) {
  return (await caches.match(request, { ignoreVary: true })) || fetch(request);
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(fetch(PAGE).then(keep));
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (origin !== location.origin || event.request.method !== "GET") return;
  if (event.request.mode === "navigate" && pathname === PAGE) event.respondWith(page(event));
  else if (pathname.startsWith("/console/files/")) event.respondWith(file(event.request));
});

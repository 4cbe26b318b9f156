// Keeps one page for where there is no network: what is booked, with the codes for the door. That page says itself as of when it is; no
// other page is kept, so that none can show what is no more.
"use strict";
const KEPT = "pocket";
const POCKET = "/me/pocket";

async function keep() {
  const answer = await fetch(POCKET, { cache: "no-store" });
  // Whoever is signed in no more is sent to sign in, or refused: what was kept was theirs, and goes.
  if (answer.redirected || answer.status === 401 || answer.status === 403) return caches.delete(KEPT);
  // A server in a rush or in trouble says nothing of it: what was kept stays.
  if (!answer.ok) return;
  const kept = await caches.open(KEPT);
  await kept.put(POCKET, answer);
  await kept.addAll(FILES);
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(keep().catch(() => {}));
  if (event.data === "forget") event.waitUntil(caches.delete(KEPT));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (address.origin !== location.origin || request.method !== "GET") return;
  const own = address.pathname === "/" || /^\/(s|b|me)(\/|$)/.test(address.pathname);
  if (request.mode === "navigate" && own) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(POCKET)) || Response.error()));
  } else if (FILES.includes(address.pathname)) {
    event.respondWith(fetch(request).catch(async () => (await caches.match(request)) || Response.error()));
  }
});

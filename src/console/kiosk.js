// The door: a device that members show their codes to. It has a token that checks in here and can do nothing else, and goes on without a
// network: each code is kept on the device before anything else is done with it, judged by the list of today, and sent until it is answered.
"use strict";

const CODE = /^[A-Za-z0-9_-]{32}$/;
// The same code that stays before the camera is one showing.
const SAME_MS = 4000;
// How long a greeting stands.
const SHOWN_MS = 6000;
const ANSWER_MS = 3000;
const REPLAY_MS = 15000;
const EVERY_MS = 4000;
const LIST_EVERY_MS = 60000;
// A list is of its day.
const LIST_MAX_MS = 24 * 3600 * 1000;
// One replay takes so many; what a device keeps in all is a busy day of many studios.
const REPLAYED_MAX = 200;
const KEPT_MAX = 5000;
const REFUSED_MAX = 50;

// What is kept on the device: `own` (the token, the list of today, what was refused) and `acts`, in the order in which they were shown.
const database = new Promise((resolve, reject) => {
  const asked = indexedDB.open("releve-kiosk", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("own");
    asked.result.createObjectStore("acts", { keyPath: "nth", autoIncrement: true });
  };
  asked.onsuccess = () => resolve(asked.result);
  asked.onerror = () => reject(asked.error);
});

// One transaction; it is over when what was written is on the disk.
async function stored(mode, work) {
  const transaction = (await database).transaction(["own", "acts"], mode, { durability: "strict" });
  return new Promise((resolve, reject) => {
    const asked = work(transaction.objectStore("own"), transaction.objectStore("acts"));
    transaction.oncomplete = () => resolve(asked && asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

const own = (name) => stored("readonly", (own) => own.get(name));
const keepOwn = (name, value) => stored("readwrite", (own) => own.put(value, name));

// Handed over by whoever runs the studio: the token stays here, and nobody is signed in any more.
const ready = document.getElementById("ready");
if (ready) {
  const { token, studio, name } = ready.dataset;
  (async () => {
    await stored("readwrite", (own, acts) => { own.clear(); acts.clear(); return own.put({ token, studio, name }, "kiosk"); });
    // What the browser kept of somebody's own bookings is nothing for the door.
    await self.caches?.delete("pocket");
    navigator.storage?.persist?.();
    location.replace("/console/kiosk");
  })().catch(() => { document.getElementById("failed").hidden = false; });
}

const door = document.getElementById("door");
if (door) stand().catch(() => { door.dataset.state = "none"; });

async function stand() {
  const words = door.dataset;
  const language = document.documentElement.lang;
  const at = (id) => document.getElementById(id);
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/console/kiosk-worker.js", { scope: "/console/kiosk" }).catch(() => {});
  const kiosk = await own("kiosk");
  if (!kiosk) {
    door.dataset.state = "none";
    return;
  }
  door.dataset.state = "open";
  at("studio").textContent = kiosk.name;

  let list = await own("list");
  let refused = (await own("refused")) || [];
  const kept = new Map((await stored("readonly", (_, acts) => acts.getAll())).map((act) => [act.nth, act]));
  const asking = new Set();
  let online = navigator.onLine;
  let skew = (await own("skew")) || 0;
  let ended = false;

  const now = () => Date.now() + skew;
  const clock = (instant, zone) => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date(instant));
  // A random id as UUIDs are, also where the page came without TLS.
  const newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  };

  // What is said.
  let quiet;
  function show(tone, title, lines = []) {
    const verdict = at("verdict");
    verdict.className = tone;
    at("said").textContent = title;
    at("lines").replaceChildren(...lines.filter(Boolean).map((line) => Object.assign(document.createElement("p"), { textContent: line })));
    clearTimeout(quiet);
    if (tone !== "idle") quiet = setTimeout(() => show("idle", words.ready, [words.readyHow]), SHOWN_MS);
  }

  function paint() {
    const count = kept.size;
    at("net").textContent = online ? words.online : words.offline;
    at("net").className = online ? "on" : "off";
    at("unsent").hidden = count === 0;
    at("unsent").textContent = words.unsent.replace("{n}", count);
    at("unsent").dataset.count = count;
    const next = list && list.body.sessions.find((session) => now() <= Date.parse(session.closes_at));
    at("next").textContent = next ? `${next.local_start.slice(11)} ${next.name} · ${next.room}` : "";
    at("refused").hidden = refused.length === 0;
    at("refused-count").textContent = words.refused.replace("{n}", refused.length);
    at("refused-list").replaceChildren(...refused.map((one) => Object.assign(document.createElement("li"), { textContent: one })));
  }

  const greet = (name, session, first, already) =>
    show("yes", name, [`${session.name} · ${session.local_start.slice(11)} · ${session.room}`, already ? words.already : "", first ? words.first : ""]);

  // Why not, by the facts of the refusal; what is not known here is said as the studio says it.
  function why(problem, zone) {
    switch ((problem.type || "").split("/").pop()) {
      case "too-early":
        return [words.early, words.opens.replace("{at}", clock(problem.opens_at, zone))];
      case "too-late":
        return [words.late, problem.first_visit ? words.lateFirst : words.lateHow.replace("{at}", clock(problem.closed_at, zone))];
      case "waitlisted":
        return [words.waits, words.waitsHow];
      case "not-here":
        return [words.nothere, words.nothereHow];
      default:
        return [problem.title || words.nothere, words.desk];
    }
  }
  const zone = () => (list && list.body.sessions.length ? list.body.sessions[0].time_zone : "UTC");
  const no = ([title, line]) => show("no", title, [line]);

  function call(method, path, body, headers, limit) {
    return fetch(`/v1/studios/${kiosk.studio}/${path}`, {
      method, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(limit), body: body && JSON.stringify(body),
      headers: { Authorization: `Bearer ${kiosk.token}`, "Accept-Language": language, ...(body && { "Content-Type": "application/json" }), ...headers },
    });
  }

  // An answer that settles nothing: it is asked again.
  const isNone = (status) => status === 408 || status === 429 || status >= 500;

  // Somebody took this kiosk away: it keeps nothing.
  async function end() {
    ended = true;
    await stored("readwrite", (own, acts) => { own.clear(); return acts.clear(); });
    stopCamera();
    door.dataset.state = "none";
  }

  async function drop(acts) {
    await stored("readwrite", (_, store) => { for (const act of acts) store.delete(act.nth); });
    for (const act of acts) kept.delete(act.nth);
    paint();
  }

  // Who came, also for the next time that the code is shown.
  function note(id, arrivedAt) {
    for (const session of list ? list.body.sessions : []) {
      const booking = session.bookings.find((booking) => booking.id === id);
      if (!booking) continue;
      booking.status = "attended";
      booking.arrived_at ||= arrivedAt;
      keepOwn("list", list);
    }
  }

  // What the studio says to a code; undefined: nothing, for now.
  async function ask(act) {
    asking.add(act.nth);
    try {
      const answer = await call("PUT", `check-ins/${act.id}`, { code: act.code }, {}, ANSWER_MS);
      if (answer.status === 401) return void (await end());
      if (isNone(answer.status)) return void (online = false);
      const said = await answer.json();
      online = true;
      await drop([act]);
      if (!answer.ok) return () => no(why(said, zone()));
      note(said.booking_id, said.arrived_at);
      return () => greet(said.name, said.session, said.first_visit, said.already);
    } catch {
      online = false;
    } finally {
      asking.delete(act.nth);
    }
  }

  // By what the list knows a code: it cannot be made from it.
  async function hashOf(code) {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code)));
    return btoa(String.fromCharCode(...hash.slice(0, 12))).replaceAll("+", "-").replaceAll("/", "_");
  }

  // What a device may say by itself, by the same rules; the studio decides when it hears of it.
  async function judge(act) {
    const hash = crypto.subtle ? await hashOf(act.code) : "";
    const instant = Date.parse(act.at);
    for (const session of list ? list.body.sessions : []) {
      const booking = session.bookings.find((booking) => booking.code_hashes.includes(hash));
      if (!booking) continue;
      const closes = booking.first_visit ? session.first_visit_closes_at : session.closes_at;
      if (booking.status === "attended") return greet(booking.name, session, booking.first_visit, true);
      if (["waitlisted", "offered", "standby"].includes(booking.status)) return no([words.waits, words.waitsHow]);
      if (instant < Date.parse(session.opens_at)) return no([words.early, words.opens.replace("{at}", clock(session.opens_at, session.time_zone))]);
      if (instant > Date.parse(closes)) {
        return no([words.late, booking.first_visit ? words.lateFirst : words.lateHow.replace("{at}", clock(closes, session.time_zone))]);
      }
      note(booking.id, act.at);
      return greet(booking.name, session, booking.first_visit, false);
    }
    show("kept", words.kept, [words.keptHow]);
  }

  let last = { code: "", at: 0 };
  async function scan(raw) {
    const code = raw.trim();
    if (ended || !code) return;
    if (code === last.code && Date.now() - last.at < SAME_MS) return void (last.at = Date.now());
    last = { code, at: Date.now() };
    if (!CODE.test(code)) return no([words.nothere, words.nocode]);
    if (kept.size >= KEPT_MAX) return no([words.full, words.desk]);
    const act = { id: newId(), code, at: new Date(now()).toISOString() };
    try {
      act.nth = await stored("readwrite", (_, acts) => acts.add({ ...act }));
    } catch {
      return no([words.full, words.desk]);
    }
    kept.set(act.nth, act);
    paint();
    const answer = online ? await ask(act) : undefined;
    if (ended) return;
    if (answer) answer();
    else await judge(act);
    paint();
  }

  // What was kept goes out when there is a network; so many a call, the oldest first.
  async function send() {
    const acts = [...kept.values()].filter((act) => !asking.has(act.nth)).slice(0, REPLAYED_MAX);
    if (!acts.length) return;
    const answer = await call("POST", "check-ins/replay", { acts: acts.map(({ id, code, at }) => ({ id, code, at })) }, {}, REPLAY_MS);
    if (answer.status === 401) return end();
    if (!answer.ok) return void (online = false);
    const { results } = await answer.json();
    online = true;
    const said = new Map(results.map((one) => [one.id, one]));
    for (const act of acts) {
      const one = said.get(act.id);
      if (one && one.check_in) note(one.check_in.booking_id, one.check_in.arrived_at);
      if (one && one.problem) refused.unshift(`${clock(act.at, zone())} ${why(one.problem, zone())[0]}`);
    }
    refused = refused.slice(0, REFUSED_MAX);
    await keepOwn("refused", refused);
    await drop(acts.filter((act) => said.has(act.id)));
  }

  // Its names are in the language of the page.
  const isListOurs = () => list && list.language === language;

  async function readList() {
    const before = Date.now();
    const answer = await call("GET", "door", undefined, isListOurs() ? { "If-None-Match": list.etag } : {}, REPLAY_MS);
    if (answer.status === 401) return end();
    if (answer.status !== 200 && answer.status !== 304) return void (online = false);
    online = true;
    // A device whose clock is wrong goes by the studio's.
    const off = Date.parse(answer.headers.get("Date")) + 500 - (before + Date.now()) / 2;
    skew = Math.abs(off) > 2000 ? off : 0;
    const body = answer.status === 200 ? await answer.json() : list.body;
    list = { etag: answer.headers.get("ETag") || list?.etag, body, language, read: Date.now() };
    await keepOwn("list", list);
    await keepOwn("skew", skew);
  }

  let turning = false;
  async function turn() {
    if (turning || ended) return;
    turning = true;
    if (list && Date.now() - list.read > LIST_MAX_MS) {
      list = undefined;
      await keepOwn("list", null);
    }
    try {
      await send();
      if (!ended && (!online || !isListOurs() || Date.now() - list.read > LIST_EVERY_MS)) await readList();
    } catch {
      online = false;
    }
    turning = false;
    if (!ended) paint();
  }

  // The camera: the browser's own reader of codes where it has one, else ours, which is loaded only then.
  const video = at("video");
  let stream, facing = "user", reading = 0;
  function stopCamera() {
    reading++;
    stream?.getTracks().forEach((track) => track.stop());
    stream = undefined;
    video.hidden = true;
    at("turn").hidden = true;
    at("camera").setAttribute("aria-pressed", "false");
  }
  async function readerOf() {
    if ("BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
      const detector = new BarcodeDetector({ formats: ["qr_code"] });
      return async () => (await detector.detect(video))[0]?.rawValue;
    }
    if (!window.jsQR) {
      await new Promise((resolve, reject) => document.head.append(Object.assign(document.createElement("script"), { src: words.scanner, onload: resolve, onerror: reject })));
    }
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    return async () => {
      const scale = Math.min(1, 640 / video.videoWidth);
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      pen.drawImage(video, 0, 0, canvas.width, canvas.height);
      return jsQR(pen.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height)?.data;
    };
  }
  async function startCamera() {
    stopCamera();
    const turn = reading;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: facing }, width: { ideal: 1280 } } });
      video.srcObject = stream;
      video.hidden = false;
      await video.play();
      const read = await readerOf();
      at("turn").hidden = false;
      at("camera").setAttribute("aria-pressed", "true");
      keepOwn("camera", facing);
      while (turn === reading) {
        const found = video.videoWidth ? await read().catch(() => undefined) : undefined;
        if (found) await scan(found);
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    } catch {
      stopCamera();
      no([words.nocamera, words.nocameraHow]);
    }
  }
  at("camera").addEventListener("click", () => {
    if (!stream) return startCamera();
    stopCamera();
    keepOwn("camera", null);
  });
  at("turn").addEventListener("click", () => {
    facing = facing === "user" ? "environment" : "user";
    startCamera();
  });
  at("whole").hidden = !document.fullscreenEnabled;
  at("whole").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()));

  // A hand scanner types, wherever the page's attention is.
  const field = at("code");
  at("typed").addEventListener("submit", (event) => {
    event.preventDefault();
    const code = field.value;
    field.value = "";
    scan(code);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.target.closest("input, button, summary")) field.focus();
  });
  for (const form of document.querySelectorAll("form[data-language]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const fields = new URLSearchParams(new FormData(form, event.submitter));
      // Without a network the language stays.
      const answer = await fetch(form.action, { method: "POST", body: fields }).catch(() => undefined);
      if (answer?.ok) location.reload();
    });
  }
  at("forget").addEventListener("click", async () => {
    refused = [];
    await keepOwn("refused", refused);
    paint();
  });

  // It stays awake as long as it is looked at.
  const wake = () => document.visibilityState === "visible" && navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", wake);
  wake();
  addEventListener("online", turn);
  addEventListener("offline", () => { online = false; paint(); });
  show("idle", words.ready, [words.readyHow]);
  paint();
  field.focus({ preventScroll: true });
  await turn();
  setInterval(turn, EVERY_MS);
  const chosen = await own("camera");
  if (chosen) {
    facing = chosen;
    startCamera();
  }
}

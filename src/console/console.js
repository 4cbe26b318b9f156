// What the console does beyond plain pages and forms. Without it everything works, only with a new page each time.
"use strict";

// Puts what another answer holds into this page, and leaves the reader where they are.
function take(text, address) {
  const next = new DOMParser().parseFromString(text, "text/html").getElementById("main");
  const main = document.getElementById("main");
  if (!next || !main) return false;
  const focused = document.activeElement && main.contains(document.activeElement) ? document.activeElement.id : "";
  main.replaceChildren(...next.childNodes);
  if (address) history.replaceState(null, "", address);
  const again = focused && document.getElementById(focused);
  if (again) again.focus({ preventScroll: true });
  return true;
}

// What was done is also said to whoever does not see it: a reader of screens hears only what changes in a place that was there before.
const voice = document.createElement("p");
voice.className = "unseen";
voice.setAttribute("role", "status");
document.body.append(voice);
const say = () => { voice.textContent = document.querySelector("main > .toast, main > .refused")?.textContent || ""; };

// A tap at the door: sent, and what came of it is shown in place.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-quiet]")) return;
  event.preventDefault();
  const button = form.querySelector("button");
  button.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const away = answer.redirected && new URL(answer.url).pathname !== location.pathname;
    if (away || !take(await answer.text(), "")) location.assign(answer.redirected ? answer.url : location.href);
    else say();
  } catch {
    // The network is away: the page stays, and says that the tap is still to be made.
    button.removeAttribute("aria-busy");
    document.querySelectorAll("main > .toast, main > .refused").forEach((said) => said.remove());
    const unsent = document.createElement("p");
    unsent.className = "refused";
    unsent.textContent = document.body.dataset.unsent;
    document.getElementById("main").prepend(unsent);
    say();
  }
});

// A choice that needs no button.
for (const form of document.querySelectorAll("form[data-choose]")) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.checkValidity() && form.submit());
}

// A time zone to choose: most often the reader's own.
for (const list of document.querySelectorAll("select[data-own-zone]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!list.value && [...list.options].some((option) => option.value === own)) list.value = own;
}

// What stands in a field, for somewhere else.
for (const button of navigator.clipboard ? document.querySelectorAll("button[data-copy]") : []) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    await navigator.clipboard.writeText(field.value);
    voice.textContent = button.textContent = button.dataset.copied;
  });
}

// A class is dragged to another day, room or instructor: its form opens with that, and with what would come of it. Without a mouse the same
// form is reached from the page of the class.
let moved = null;
for (const slot of document.querySelectorAll("[data-move]")) {
  slot.draggable = true;
  slot.querySelector("a").draggable = false;
  slot.addEventListener("dragstart", (event) => {
    moved = slot;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", slot.dataset.move);
  });
  slot.addEventListener("dragend", () => { moved = null; });
}
for (const place of document.querySelectorAll("[data-place]")) {
  const takes = () => moved && !place.contains(moved);
  place.addEventListener("dragover", (event) => {
    if (!takes()) return;
    event.preventDefault();
    place.classList.add("over");
  });
  place.addEventListener("dragleave", (event) => { if (!place.contains(event.relatedTarget)) place.classList.remove("over"); });
  place.addEventListener("drop", (event) => {
    if (!takes()) return;
    event.preventDefault();
    const to = `${place.dataset.place}T${moved.dataset.time}`;
    location.assign(`${moved.dataset.move}?${to}${place.dataset.with ? `&${place.dataset.with}` : ""}`);
  });
}

// What edited rules would mean, while they are edited; and which of them does not fit, beside it.
for (const form of document.querySelectorAll("form[data-look]")) {
  const PAUSE_MS = 300;
  let pause, asking;
  const look = async () => {
    asking?.abort();
    asking = new AbortController();
    const fields = new URLSearchParams(new FormData(form));
    fields.set("look", "true");
    try {
      const answer = await fetch(location.href, { method: "POST", body: fields, signal: asking.signal });
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const example = next.getElementById("example-of");
      if (!example) return;
      document.getElementById("example-of").replaceChildren(...example.childNodes);
      for (const why of form.querySelectorAll(".why")) {
        const said = next.getElementById(why.id)?.textContent || "";
        why.textContent = said;
        why.hidden = !said;
        document.getElementById(why.id.replace(/-why$/, ""))?.setAttribute("aria-invalid", Boolean(said));
      }
      for (const rule of form.querySelectorAll(".rule")) rule.classList.toggle("wrong", Boolean(rule.querySelector(".why:not([hidden])")));
    } catch {
      // The button still asks.
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(look, PAUSE_MS);
  });
}

// Makes a part of the page what it is by now, and leaves alone what the reader is at: what they have opened, and what they write.
function renew(old, next) {
  if (old.nodeType !== next.nodeType || old.nodeName !== next.nodeName || (old.id || "") !== (next.id || "")) return old.replaceWith(next);
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  // A choice has no button any more.
  if (old.matches("form[data-choose]")) return;
  const isField = old.matches("input:not([type=hidden]), textarea, select");
  if (isField && (old === document.activeElement || isWritten(old))) return;
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name) && !(name === "open" && old.matches("details"))) old.removeAttribute(name);
  for (const { name, value } of [...next.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  // Who has a name of their own is found by it, wherever they stand now; the others by their turn.
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const child of [...next.childNodes]) {
    const known = child.id && named.get(child.id);
    if (known && known !== at) old.insertBefore(known, at);
    else if (!at || (at.id && !known)) old.insertBefore(child, at);
    else {
      const after = at.nextSibling;
      renew(at, child);
      at = after;
      continue;
    }
    if (known) renew(known, child);
  }
  while (at) {
    const after = at.nextSibling;
    at.remove();
    at = after;
  }
}
const isWritten = (field) =>
  field.matches("select") ? [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0
    : field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;

// A page that lives hears when something happened in the studio, and is read again then, and from time to time by the clock. Where no stream
// stays open (an old browser, a proxy that cuts it) it asks instead.
const live = Number(document.getElementById("main")?.dataset.live || 0);
if (live > 0) {
  const TURN_MS = 3000;
  const studio = location.pathname.split("/").slice(0, 3).join("/");
  let stream, heard, known, read = Date.now(), reading = false, over = false;
  const isBusy = () => document.hidden || reading || document.querySelector("main [aria-busy]");
  const ask = async () => {
    const asked = await fetch(studio + "/changes");
    if (!asked.redirected && asked.ok) return asked.text();
    // Whose rights have ended, or who is signed out, sees so.
    over = asked.status < 500;
    if (over) location.reload();
  };
  const readAgain = async (number) => {
    const address = new URL(location.href);
    address.searchParams.delete("said");
    const answer = await fetch(address);
    if (answer.redirected || (answer.status >= 400 && answer.status < 500)) await ask();
    const next = answer.ok && !answer.redirected && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (!next || document.querySelector("main [aria-busy]")) return;
    known = number;
    read = Date.now();
    // What was just done stays said.
    const said = document.querySelector("main > .toast, main > .refused");
    if (said) next.prepend(said.cloneNode(true));
    // What moves loses the attention of the keyboard: it is given back, with what was marked.
    const at = document.activeElement;
    const marked = at.matches("textarea, input") ? [at.selectionStart, at.selectionEnd] : [];
    renew(document.getElementById("main"), next);
    const again = at.isConnected ? at : at.id && document.getElementById(at.id);
    if (!again || again === document.activeElement || again === document.body) return;
    again.focus({ preventScroll: true });
    if (typeof marked[0] === "number") again.setSelectionRange(...marked);
  };
  const look = async () => {
    if (isBusy()) return;
    reading = true;
    try {
      const number = stream?.readyState === 1 ? heard : await ask();
      if (number && (number !== known || Date.now() - read >= live * 1000)) await readAgain(number);
    } catch {
      // Without a network it is tried again.
    } finally {
      reading = false;
    }
  };
  // Only the page that is looked at holds a stream: a browser opens few connections to one host.
  const listen = () => {
    if (document.hidden || over) {
      stream?.close();
      stream = undefined;
    } else if (!stream || stream.readyState === 2) {
      stream = new EventSource(studio + "/live");
      stream.addEventListener("message", ({ data }) => {
        heard = data;
        look();
      });
    }
  };
  const turn = async () => {
    await look();
    if (!over) setTimeout(turn, TURN_MS);
  };
  if (window.EventSource) {
    document.addEventListener("visibilitychange", listen);
    setInterval(listen, 10 * TURN_MS);
    listen();
  }
  setTimeout(turn, TURN_MS);
}

// What was done is said once: not again when the page is read again.
if (location.search.includes("said=")) {
  const address = new URL(location.href);
  address.searchParams.delete("said");
  history.replaceState(null, "", address);
}

// Where nobody is signed in, what a member's pages kept for where there is no network is nobody's. A kiosk's own memory stays.
if (location.pathname === "/console/sign-in") self.caches?.delete("pocket").catch(() => {});

// Passkeys: as the second step, in the place of a code, and a new one. Nobody touched it, or there is none: the other ways stand beside it.
const hasPasskeys = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
const show = async (asked) => {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey || asked);
  return JSON.stringify((await navigator.credentials.get({ publicKey })).toJSON());
};
const make = async (asked) => {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.publicKey || asked);
  return JSON.stringify((await navigator.credentials.create({ publicKey })).toJSON());
};
for (const form of hasPasskeys ? document.querySelectorAll("form[data-passkey], form[data-new-passkey]") : []) {
  form.hidden = false;
  document.querySelector("[data-no-passkeys]")?.remove();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { passkey, newPasskey } = form.dataset;
    const shown = await (passkey ? show(JSON.parse(passkey)) : make(JSON.parse(newPasskey))).catch(() => {});
    if (!shown) return;
    form.elements.passkey.value = shown;
    form.submit();
  });
}
for (const button of hasPasskeys ? document.querySelectorAll("button[data-prove]") : []) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { form } = button;
    if (!form.elements.password.reportValidity()) return;
    const asked = await fetch(button.dataset.prove, { method: "POST" });
    const shown = asked.ok && (await show((await asked.json()).passkey).catch(() => {}));
    if (!shown) return;
    form.elements.passkey.value = shown;
    form.submit();
  });
}

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
    // The network is away: the browser says so in its own words.
    form.submit();
  }
});

// A choice that needs no button.
for (const form of document.querySelectorAll("form[data-choose]")) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.checkValidity() && form.submit());
}

// What edited rules would mean, while they are edited.
for (const form of document.querySelectorAll("form[data-look]")) {
  form.addEventListener("change", async () => {
    const fields = new URLSearchParams(new FormData(form));
    fields.set("look", "true");
    try {
      const answer = await fetch(location.href, { method: "POST", body: fields });
      const next = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("example");
      if (next) document.getElementById("example").replaceChildren(...next.childNodes);
    } catch {
      // The button still asks.
    }
  });
}

// A page that lives is read again, unless somebody is in the middle of something.
const live = Number(document.getElementById("main")?.dataset.live || 0);
if (live > 0) {
  setInterval(async () => {
    const busy = document.querySelector("main details[open], main [aria-busy], main dialog[open]");
    const writing = document.activeElement && document.activeElement.matches("input, textarea, select");
    const changed = [...document.querySelectorAll("main textarea")].some((field) => field.value !== field.defaultValue);
    if (document.hidden || busy || writing || changed) return;
    try {
      const address = new URL(location.href);
      address.searchParams.delete("said");
      const answer = await fetch(address);
      if (answer.redirected) location.assign(answer.url);
      else if (answer.ok) take(await answer.text(), "");
    } catch {
      // It is tried again.
    }
  }, live * 1000);
}

// What was done is said once: not again when the page is read again.
if (location.search.includes("said=")) {
  const address = new URL(location.href);
  address.searchParams.delete("said");
  history.replaceState(null, "", address);
}

// The second step by a passkey.
const passkey = document.querySelector("form[data-passkey]");
if (passkey && window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON) {
  passkey.hidden = false;
  passkey.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const asked = JSON.parse(passkey.dataset.passkey);
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey || asked);
      const shown = await navigator.credentials.get({ publicKey });
      passkey.elements.passkey.value = JSON.stringify(shown.toJSON());
      passkey.submit();
    } catch {
      // Nobody touched it: the other ways stand below.
    }
  });
}

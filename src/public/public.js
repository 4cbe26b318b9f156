// What the public pages do beyond plain pages and forms. Without it everything works.
"use strict";

// A choice that needs no button.
for (const form of document.querySelectorAll("form[data-choose]")) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
}

// A code that came with the link of a letter, behind its `#`: it is filled in, and the address forgets it.
for (const field of document.querySelectorAll("input[data-from-link]")) {
  const code = location.hash.slice(1);
  if (!/^[0-9A-Za-z-]{8,60}$/.test(code)) continue;
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search);
}

// Times are the studio's; a reader whose clock shows another is told what theirs shows.
for (const place of document.querySelectorAll("[data-here]")) {
  const at = new Date(place.dataset.here);
  const here = at.toLocaleString(document.documentElement.lang, { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const said = place.parentElement.querySelector("time")?.textContent || "";
  const clock = at.toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  if (said.includes(clock)) continue;
  place.textContent = place.dataset.says.replace(/:$/, ": ") + here;
  place.hidden = false;
}

// What was done is said once: not again when the page is read again.
if (location.search.includes("said=")) {
  const address = new URL(location.href);
  address.searchParams.delete("said");
  history.replaceState(null, "", address);
}

// In a studio's website: its script makes the frame as high as the page is.
if (document.body.classList.contains("embedded") && parent !== window) {
  const tell = () => parent.postMessage({ releve: "height", height: document.documentElement.offsetHeight }, "*");
  new ResizeObserver(tell).observe(document.documentElement);
  tell();
}

// Where there is no network, the phone shows what was booked; with each page that a member sees, it is kept anew. Whoever signs out takes
// it with them.
if ("serviceWorker" in navigator && !document.body.classList.contains("embedded")) {
  const signedIn = "signedIn" in document.body.dataset;
  if (signedIn) {
    navigator.serviceWorker.register("/me/worker.js", { scope: "/" }).then(() => navigator.serviceWorker.ready)
      .then(({ active }) => active.postMessage("keep")).catch(() => {});
  } else {
    navigator.serviceWorker.getRegistration("/").then((found) => found?.active?.postMessage("forget")).catch(() => {});
  }
}

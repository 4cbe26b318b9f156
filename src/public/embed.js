// The schedule in a studio's website: <div data-releve-studio="…"></div><script src="https://…/s/embed.js" async></script>
for (const place of document.querySelectorAll("[data-releve-studio]:not(:has(iframe))")) {
  const from = new URL(document.querySelector('script[src$="/s/embed.js"]').src).origin, frame = document.createElement("iframe");
  const language = encodeURIComponent(place.dataset.language || document.documentElement.lang || navigator.language);
  frame.src = `${from}/s/${encodeURIComponent(place.dataset.releveStudio)}/embed?language=${language}`;
  frame.title = place.dataset.title || "Schedule";
  Object.assign(frame.style, { width: "100%", border: "0", height: "40rem" });
  addEventListener("message", ({ source, data }) => { if (source === frame.contentWindow && data?.releve === "height") frame.style.height = `${data.height}px`; });
  place.append(frame);
}

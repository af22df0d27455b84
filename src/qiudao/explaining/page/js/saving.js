// Saving what is seen as an SVG file of its own.

const COLOURS = ["paper", "raised", "ink", "soft", "faint", "edge", "line", "given", "fold", "slope", "tangent", "focus"];

/** The drawing with its rules and colours: a document that needs nothing else. */
function standalone() {
  const rules = document.querySelector("style").textContent;
  const colours = getComputedStyle(document.documentElement);
  const root = `svg { ${COLOURS.map((n) => `--${n}: ${colours.getPropertyValue(`--${n}`).trim()}`).join("; ")} }`;
  const own = rules.slice(rules.indexOf("/* drawing */"), rules.indexOf("/* end of drawing */"));
  const place = { x: -16, y: -16, width: drawn.width + 32, height: drawn.height + 32 };
  const file = element("svg", { xmlns: SVG, viewBox: Object.values(place).join(" "), width: place.width, height: place.height });
  file.append(element("style", {}, `${root}\n${own}`), element("rect", { class: "under", ...place }));
  const copy = document.getElementById("canvas").cloneNode(true);
  copy.removeAttribute("transform");
  for (const each of copy.querySelectorAll("[tabindex]")) each.removeAttribute("tabindex");
  file.append(copy);
  return new XMLSerializer().serializeToString(file);
}

document.getElementById("export").addEventListener("click", () => {
  const url = URL.createObjectURL(new Blob([standalone()], { type: "image/svg+xml" }));
  html("a", { href: url, download: "explained.svg" }).click();
  URL.revokeObjectURL(url);
});

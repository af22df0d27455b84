// The graph as a nested list: for screen readers, for phones, and for reading line by line.

const outline = document.getElementById("outline");
let listed = false; // whether the list is shown in place of the drawing
let lines = new Map(); // value -> its row, of those that were made
let parts = new Map(); // group -> its part of the list

/** The list of what is in a group; inner groups are made when they are opened. */
function listFor(group) {
  return html("ul", {}, ...childrenOf.get(group).map((c) => html("li", {}, c.value !== undefined ? lineFor(values[c.value]) : partFor(groups[c.group]))));
}

function partFor(group) {
  const part = html("details", {}, html("summary", {}, html("b", {}, group.title),
    html("small", {}, `${group.count.toLocaleString("en")} values`)));
  part.addEventListener("toggle", () => { if (part.open) fillPart(part, group.id); });
  parts.set(group.id, part);
  return part;
}

function fillPart(part, id) {
  if (part.children.length === 1) {
    part.append(listFor(id));
    updateOutline();
  }
}

function lineFor(v) {
  const cells = Object.fromEntries(["title", "value", "gradient", "tangent", "place"].map((k) => [k, html("span", { class: k })]));
  cells.title.textContent = clipped(titleOf(v), 120);
  cells.place.textContent = placeOf(v.line);
  const row = html("button", { class: "row", onclick: () => choose(`v${v.id}`, false) }, ...Object.values(cells));
  lines.set(v.id, { row, cells });
  return row;
}

/** The rows at the current step. */
function updateOutline() {
  if (!listed) return;
  const s = steps[step];
  const around = s.value === undefined ? [] : pathOf(values[s.value].group);
  const closed = around.find((g) => parts.get(g)?.open === false);
  for (const [id, part] of parts) part.classList.toggle("now", id === closed);
  for (const [id, { row, cells }] of lines) {
    const v = values[id];
    const g = gradientNow(v), t = tangentNow(v);
    cells.value.textContent = isComputed(v) && v.value ? brief(v.value) : "";
    cells.gradient.textContent = g ? `∂ ${g.text}${g.complete ? "" : " + …"}` : "";
    cells.tangent.textContent = t === null ? "" : `→ ${t}`;
    row.classList.toggle("waiting", !isComputed(v));
    row.classList.toggle("now", id === s.value);
    row.setAttribute("aria-current", String(chosen === `v${id}`));
  }
}

/** Open the parts around a value and bring its row in. */
function showLine(value, focus) {
  for (const g of pathOf(values[value].group)) {
    const part = parts.get(g);
    if (!part) return;
    part.open = true;
    fillPart(part, g);
  }
  const { row } = lines.get(value) ?? {};
  row?.scrollIntoView({ block: "nearest" });
  if (focus) row?.focus({ preventScroll: true });
}

/** Show the list in place of the drawing, or the drawing again. */
function setListed(next) {
  listed = next;
  outline.hidden = !listed;
  svg.toggleAttribute("hidden", listed);
  document.getElementById("hint").hidden = listed;
  document.getElementById("list").setAttribute("aria-pressed", String(listed));
  if (!listed) {
    applyView();
    return;
  }
  if (!outline.firstChild) outline.append(listFor(null));
  for (const g of [...opened].sort((a, b) => a - b)) { // outer ones before those within
    const part = parts.get(g);
    if (part) {
      part.open = true;
      fillPart(part, g);
    }
  }
  updateOutline();
  if (chosen?.[0] === "v") showLine(Number(chosen.slice(1)), false);
}

// The drawing: boxes and frames as SVG, and what changes in them from step to step.

const svg = document.getElementById("graph");
const SVG = "http://www.w3.org/2000/svg";
let drawn = { boxes: [], references: [], edges: [], frames: [], width: 1, height: 1 };
let chosen = null; // the id of the box that is selected

/** An SVG element with attributes; its text is set as text, never as markup. */
function element(name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  return made;
}

/** Lay out and draw what is seen. */
function draw() {
  drawn = layout();
  route(drawn.edges, [...drawn.boxes, ...drawn.references]);
  const canvas = element("g", { id: "canvas" });
  for (const f of drawn.frames) canvas.append(frameFor(f));
  for (const e of drawn.edges) canvas.append(edgeFor(e));
  for (const f of drawn.frames) canvas.append(frameTitleFor(f));
  for (const r of drawn.references) canvas.append(referenceFor(r));
  for (const b of drawn.boxes) canvas.append(boxFor(b));
  svg.replaceChildren(canvas);
  const folded = drawn.boxes.filter((b) => b.group !== undefined).length;
  document.getElementById("hint").textContent = folded
    ? `${folded} folded group${folded === 1 ? "" : "s"}: click or press Enter to open` : "";
  update();
}

/** The frame around an open group. */
function frameFor(f) {
  const g = element("g", { class: "around" });
  g.append(element("rect", { x: f.x, y: f.y, width: f.width, height: f.height, rx: 6 }));
  return g;
}

/** The title of a frame, which folds the group; it lies above the edges. */
function frameTitleFor(f) {
  const g = element("g", { class: "around" });
  const room = Math.max(6, Math.floor((f.width - 16) / SMALL));
  const words = clipped(`▾ ${frameTitle(f.group)}`, room);
  g.append(element("rect", { class: "under", x: f.x + 4, y: f.y + 3, width: words.length * SMALL + 12, height: 14 }));
  const title = element("text", { x: f.x + 7, y: f.y + 13 }, words);
  title.append(element("title", {}, `${frameTitle(f.group)}: click to fold`));
  title.addEventListener("click", () => fold(outermostOf(f.group)));
  g.append(title);
  return g;
}

/** The outermost of the groups that share a frame. */
function outermostOf(group) {
  let g = group;
  while (groups[g].parent !== null && isWrapper(groups[g].parent)) g = groups[g].parent;
  return g;
}

/** The name of a value beside one of its many readers. */
function referenceFor(r) {
  const g = element("g", { class: "reference" });
  g.append(element("rect", { x: r.x - r.width / 2, y: r.y - r.height / 2, width: r.width, height: r.height, rx: 10 }));
  g.append(element("text", { x: r.x, y: r.y + 4, "text-anchor": "middle" }, r.name));
  g.append(element("title", {}, `${titleOf(values[r.value])}: click to go to it`));
  g.addEventListener("click", () => go(r.value));
  return g;
}

/** A box with its rows. */
function boxFor(b) {
  const kinds = ["box"];
  const v = b.value === undefined ? null : values[b.value];
  if (!v) kinds.push("fold");
  if (v ? v.kind === "input" : groups[b.group].kind === "argument") kinds.push("given");
  if (v && v.output !== null) kinds.push("result");
  const g = element("g", { class: kinds.join(" "), id: `box-${b.id}`, role: "button", tabindex: "-1" });
  if (!v) g.setAttribute("aria-expanded", "false");
  const left = b.x - b.width / 2, top = b.y - b.height / 2;
  g.append(element("rect", { x: left, y: top, width: b.width, height: b.height, rx: 4 }));
  b.texts = b.rows.map((r, k) => element("text", { class: r.kind, x: left + PAD, y: top + PAD + 8 + k * ROW }, r.text));
  g.append(...b.texts);
  if (b.heat) {
    b.picture = element("image", { x: left + b.width - HEAT - PAD, y: top + PAD - 1, width: HEAT, height: HEAT, preserveAspectRatio: "none", href: pictureOf(b.heat) });
    g.append(b.picture);
  }
  if (v && titleOf(v).length > WIDEST) g.append(element("title", {}, titleOf(v)));
  g.addEventListener("click", () => (v ? choose(b.id) : unfold(b.group)));
  g.addEventListener("focus", () => choose(b.id, false));
  b.element = g;
  b.kinds = kinds.join(" ");
  return g;
}

/** Show the state of the current step. */
function update() {
  const s = steps[step];
  const active = s.value === undefined ? null : boxOf(s.value);
  const pushing = s.push ? boxOf(s.push.value) : null;
  for (const b of drawn.boxes) {
    const waiting = b.value !== undefined ? !isComputed(values[b.value]) : !anyComputed(b.group);
    const classes = [b.kinds];
    if (waiting) classes.push("waiting");
    if (b.id === pushing) classes.push("pushing");
    if (b.id === active) classes.push("now");
    if (b.id === chosen) classes.push("chosen");
    b.element.setAttribute("class", classes.join(" "));
    fill(b);
    b.element.setAttribute("aria-label", spoken(b));
    b.element.setAttribute("tabindex", b.id === (chosen ?? drawn.boxes[0].id) ? "0" : "-1");
  }
  markEdges();
  if (chosen !== null) inspect();
}

/** The edges along which something goes at the current step. */
function markEdges() {
  const s = steps[step];
  for (const e of drawn.edges) {
    const along = (reader) => reader !== undefined && e.uses.some((u) => u.reader === reader);
    const now = (s.kind === "forward" || s.kind === "backward") && along(s.value);
    e.element.setAttribute("class", `edge${now ? " now" : along(s.push?.value) ? " pushing" : ""}`);
  }
}

/** The texts of a box at the current step. */
function fill(b) {
  const v = values[lastOf(b)];
  const room = Math.floor((b.width - 2 * PAD - (b.heat ? HEAT + PAD : 0)) / LETTER + 0.01);
  b.rows.forEach((r, k) => {
    let now = r.text;
    if (r.kind === "value" && !isComputed(v)) now = "";
    if (r.kind === "gradient") {
      const g = gradientNow(v);
      now = g ? clipped(`∂ ${g.text}${g.complete ? "" : " + …"}`, room) : "";
    }
    if (r.kind === "tangent") {
      const t = tangentNow(v);
      now = t === null ? "" : clipped(`→ ${t}`, room);
    }
    if (b.texts[k].textContent !== now) b.texts[k].textContent = now;
  });
  if (b.heat) b.picture.setAttribute("visibility", isComputed(v) ? "visible" : "hidden");
}

/** Whether something in a group is computed at the current step. */
function anyComputed(group) {
  let c = childrenOf.get(group)[0];
  while (c && c.group !== undefined) c = childrenOf.get(c.group)[0];
  return !c || isComputed(values[c.value]);
}

/** A box for a screen reader. */
function spoken(b) {
  if (b.group !== undefined) return `folded group ${groups[b.group].title}, ${groups[b.group].count} values, press Enter to open`;
  const v = values[b.value];
  const g = gradientNow(v);
  const t = tangentNow(v);
  const parts = [v.kind === "input" ? "input" : "", titleOf(v)];
  if (v.value && isComputed(v)) parts.push(`value ${brief(v.value)}`);
  if (g) parts.push(`gradient ${g.text}`);
  if (t !== null) parts.push(`tangent ${t}`);
  return parts.filter(Boolean).join(", ");
}

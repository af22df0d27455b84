// The drawing: boxes, edges and frames as SVG, and what changes in them from step to step.

const svg = document.getElementById("graph");
const SVG = "http://www.w3.org/2000/svg";
let drawn = { boxes: [], edges: [], frames: [], width: 1, height: 1 };
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
  const canvas = element("g", { id: "canvas" });
  for (const f of drawn.frames) canvas.append(frameFor(f));
  for (const e of drawn.edges) canvas.append(edgeFor(e));
  for (const b of drawn.boxes) canvas.append(boxFor(b));
  svg.replaceChildren(canvas);
  const folded = drawn.boxes.filter((b) => b.group !== undefined).length;
  document.getElementById("hint").textContent = folded
    ? `${folded} folded group${folded === 1 ? "" : "s"}: click or press Enter to open` : "";
  update();
}

/** The frame around an open group, with its title, which folds it. */
function frameFor(f) {
  const g = element("g", { class: "around" });
  g.append(element("rect", { x: f.x, y: f.y, width: f.width, height: f.height, rx: 6 }));
  const room = Math.max(6, Math.floor((f.width - 16) / 6.7));
  const title = element("text", { x: f.x + 7, y: f.y + 13 }, clipped(`▾ ${frameTitle(f.group)}`, room));
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

/** A box with its rows. */
function boxFor(b) {
  const kinds = ["box"];
  const v = b.value === undefined ? null : values[b.value];
  if (!v) kinds.push("fold");
  else if (v.kind === "input") kinds.push("given");
  if (v && v.output !== null) kinds.push("result");
  const g = element("g", { class: kinds.join(" "), id: `box-${b.id}`, role: "button", tabindex: "-1" });
  const left = b.x - b.width / 2, top = b.y - b.height / 2;
  g.append(element("rect", { x: left, y: top, width: b.width, height: b.height, rx: 4 }));
  b.rows.forEach((r, k) => {
    g.append(element("text", { class: r.kind, x: left + PAD, y: top + PAD + 8 + k * ROW }, r.text));
  });
  g.addEventListener("click", () => (v ? choose(b.id) : unfold(b.group)));
  g.addEventListener("focus", () => choose(b.id, false));
  b.element = g;
  b.kinds = kinds.join(" ");
  return g;
}

/** An edge, with the local derivative beside it where that is a number. */
function edgeFor(e) {
  const g = element("g", { class: "edge" });
  const points = e.points.map((p) => ({ ...p }));
  const end = points.at(-1);
  const before = points.at(-2);
  const angle = Math.atan2(end.y - before.y, end.x - before.x);
  const stop = { x: end.x - 6 * Math.cos(angle), y: end.y - 6 * Math.sin(angle) };
  g.append(element("path", { class: "way", d: smooth([...points.slice(0, -1), stop]) }));
  const [s, c] = [Math.sin(angle), Math.cos(angle)];
  const corner = (a, b) => `${end.x - a * c + b * s} ${end.y - a * s - b * c}`;
  g.append(element("path", { class: "tip", d: `M${end.x} ${end.y}L${corner(7, 3.5)}L${corner(7, -3.5)}Z` }));
  const text = slopeText(e);
  if (text) {
    const middle = points[Math.floor(points.length / 2)];
    const width = text.length * 6.4 + 6;
    g.append(element("rect", { class: "under", x: middle.x - width / 2, y: middle.y - 8, width, height: 15 }));
    g.append(element("text", { class: "place", x: middle.x, y: middle.y + 3, "text-anchor": "middle" }, text));
  }
  e.element = g;
  return g;
}

/** A curve through points, its bends rounded. */
function smooth(points) {
  let d = `M${points[0].x} ${points[0].y}`;
  for (let k = 1; k < points.length - 1; k += 1) {
    const [p, q] = [points[k], points[k + 1]];
    d += `Q${p.x} ${p.y} ${k === points.length - 2 ? q.x : (p.x + q.x) / 2} ${k === points.length - 2 ? q.y : (p.y + q.y) / 2}`;
  }
  return points.length === 2 ? `${d}L${points[1].x} ${points[1].y}` : d;
}

/** The local derivatives along an edge between two values: `3 + 3` for two uses. */
function slopeText(e) {
  if (e.from[0] === "g" || e.to[0] === "g") return "";
  const texts = e.uses.map((u) => {
    const slope = values[u.reader].slopes[u.position];
    const single = slope && slope.value && slope.value.entries !== null && slope.value.least !== null
      && slope.value.shape.reduce((a, b) => a * b, 1) === 1;
    return single ? slope.text : null;
  });
  return texts.includes(null) ? "" : texts.join(" + ").replaceAll("+ -", "− ");
}

/** Show the state of the current step. */
function update() {
  const s = steps[step];
  const active = s.value === undefined ? null : boxOf(s.value);
  for (const b of drawn.boxes) {
    const waiting = b.value !== undefined ? !isComputed(values[b.value]) : !anyComputed(b.group);
    const classes = [b.kinds];
    if (waiting) classes.push("waiting");
    if (b.id === active) classes.push("now");
    if (b.id === chosen) classes.push("chosen");
    b.element.setAttribute("class", classes.join(" "));
    fill(b);
    b.element.setAttribute("aria-label", spoken(b));
    b.element.setAttribute("tabindex", b.id === (chosen ?? drawn.boxes[0].id) ? "0" : "-1");
  }
  for (const e of drawn.edges) {
    const along = e.uses.some((u) => u.reader === s.value);
    e.element.setAttribute("class", along && (s.kind === "forward" || s.kind === "backward") ? "edge now" : "edge");
  }
  const words = sentence();
  document.getElementById("sentence").textContent = words;
  const slider = document.getElementById("slider");
  slider.max = steps.length - 1;
  slider.value = step;
  slider.setAttribute("aria-valuetext", words);
  document.getElementById("count").textContent = `${step} of ${steps.length - 1}`;
  document.getElementById("costs").textContent = costs();
  if (chosen !== null) inspect();
}

/** The texts of a box at the current step. */
function fill(b) {
  const v = values[lastOf(b)];
  const room = Math.floor((b.width - 2 * PAD) / LETTER + 0.01);
  b.rows.forEach((r, k) => {
    const text = b.element.querySelectorAll(":scope > text")[k];
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
    if (text.textContent !== now) text.textContent = now;
  });
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
  const parts = [v.kind === "input" ? "input" : "", titleOf(v)];
  if (v.value && isComputed(v)) parts.push(`value ${brief(v.value)}`);
  if (g) parts.push(`gradient ${g.text}`);
  return parts.filter(Boolean).join(", ");
}

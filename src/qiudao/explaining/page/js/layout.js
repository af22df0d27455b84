// Where the boxes go: dagre's layered layout, with a frame around each open group.

const LETTER = 7.25, ROW = 17, PAD = 10, WIDEST = 40; // of the 12-pixel monospace face
const SMALL = 6.4; // a letter of the small face
const HEAT = 44; // the side of the picture of a large array
const FAR = 4; // readers beyond which a value is named where it is read, not joined by lines

/** The rows of a box: texts with their classes. All that may ever be in them counts for its size. */
function rowsOf(box) {
  const v = values[lastOf(box)];
  const rows = [];
  const group = box.group === undefined ? null : groups[box.group];
  if (group?.kind === "argument") {
    return [{ text: clipped(group.title, WIDEST), kind: "title" }, { text: `${group.count.toLocaleString("en")} inputs`, kind: "place" }];
  }
  if (group) {
    rows.push({ text: clipped(group.title, WIDEST), kind: "title" });
    rows.push({ text: `${group.count.toLocaleString("en")} values; the last of them:`, kind: "place" });
    if (v.value) rows.push({ text: clipped(brief(v.value), WIDEST), kind: "value" });
  } else {
    rows.push({ text: clipped(titleOf(v), WIDEST), kind: "title" });
    if (v.value && brief(v.value) !== titleOf(v)) rows.push({ text: clipped(brief(v.value), WIDEST), kind: "value" });
  }
  if (v.gradient && mode !== "forward") {
    const text = clipped(`∂ ${fullGradient(v)}`, WIDEST);
    rows.push({ text, kind: "gradient", wide: text.length + (v.terms.length > 1 ? 5 : 0) }); // a part has ` + …`
  }
  if (mode !== "reverse" && data.forward.directions.length && v.kind !== "constant") {
    rows.push({ text: clipped(`→ ${longestTangent(v)}`, WIDEST), kind: "tangent" });
  }
  const line = group ? group.line : v.line;
  if (line && !(group && isTurn(group))) rows.push({ text: placeOf(line), kind: "place" });
  return rows;
}

function isTurn(group) {
  return group.kind === "iteration" || group.kind === "turns";
}

/** The widest of the tangents that a box may show. */
function longestTangent(v) {
  const shown = mode === "both" ? v.tangents : [v.tangents[direction]];
  return shown.map((t) => (t ? brief(t) : "0")).reduce((a, b) => (b.length > a.length ? b : a), "0");
}

/** The value that a box shows: its own, or the last of a group. */
function lastOf(box) {
  if (box.group === undefined) return box.value;
  let c = { group: box.group };
  while (c.group !== undefined) c = childrenOf.get(c.group).at(-1);
  return c.value;
}

/** The gradient at the end, as the box shows it. */
function fullGradient(v) {
  const before = step;
  step = steps.length - 1;
  const text = gradientNow(v)?.text ?? brief(v.gradient);
  step = before;
  return text;
}

/** Boxes with places and sizes, edges with their points, and the frames of open groups. */
function layout() {
  const boxes = boxesSeen(), edges = edgesSeen();
  const byId = new Map(boxes.map((b) => [b.id, b]));
  const graph = new dagre.graphlib.Graph({ compound: true });
  graph.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 44, edgesep: 16, marginx: 4, marginy: 4 });
  const framed = new Set(boxes.flatMap((b) => pathOf(b.around)).filter((g) => !isWrapper(g)));
  const frameOf = (g) => pathOf(g).findLast((each) => framed.has(each));
  const place = (id, size, around) => {
    graph.setNode(id, size);
    if (frameOf(around) !== undefined) graph.setParent(id, `g${frameOf(around)}`);
  };
  for (const g of framed) graph.setNode(`g${g}`, {});
  for (const g of framed) {
    const outer = frameOf(groups[g].parent);
    if (outer !== undefined) graph.setParent(`g${g}`, `g${outer}`);
  }
  const references = namedAtReaders(edges, byId);
  for (const b of boxes) {
    b.rows = rowsOf(b);
    if (b.reads) b.rows.splice(2, 0, { text: clipped(`reads ${b.reads.join(", ")}`, WIDEST), kind: "place" });
    b.heat = b.group === undefined ? values[b.value].value?.thumbnail : null;
    b.width = Math.max(...b.rows.map((r) => r.wide ?? r.text.length)) * LETTER + 2 * PAD + (b.heat ? HEAT + PAD : 0);
    b.height = Math.max(b.rows.length * ROW, b.heat ? HEAT + 4 : 0) + PAD + 4;
    place(b.id, { width: b.width, height: b.height }, b.around);
  }
  for (const r of references) place(r.id, { width: r.width, height: r.height }, byId.get(r.to).around);
  const joined = edges.filter((e) => !e.told);
  for (const e of joined) {
    e.label = slopeText(e);
    const size = e.label ? { width: e.label.length * SMALL + 8, height: 16, labelpos: "c" } : {};
    graph.setEdge(e.via ?? e.from, e.to, size);
  }
  dagre.layout(graph);
  for (const b of [...boxes, ...references]) Object.assign(b, at(graph.node(b.id)));
  for (const e of joined) {
    const found = graph.edge(e.via ?? e.from, e.to);
    Object.assign(e, { points: found.points, middle: e.label ? at(found) : null });
  }
  const frames = [...framed].map((g) => {
    const n = graph.node(`g${g}`);
    const wide = Math.max(n.width, Math.min(frameTitle(g).length + 2, WIDEST) * SMALL + 16);
    return { group: g, x: n.x - n.width / 2, y: n.y - n.height / 2 - 6, width: wide, height: n.height + 6 };
  });
  const size = graph.graph();
  return { boxes, references, edges: joined, frames, width: size.width || 1, height: size.height || 1 };
}

/** A value read in many places is joined to the first; the others have its name beside them. */
function namedAtReaders(edges, byId) {
  const bySource = new Map();
  for (const e of edges) bySource.set(e.from, [...(bySource.get(e.from) ?? []), e]);
  const references = [];
  for (const [from, some] of bySource) {
    const source = byId.get(from);
    if (source.value === undefined || some.length <= FAR) continue;
    for (const e of some.slice(1)) {
      const name = clipped(nameOf(values[source.value]), 20);
      const reader = byId.get(e.to);
      if (reader.group !== undefined) {
        e.told = true;
        (reader.reads ??= []).push(name);
      } else {
        e.via = `r${e.key}`;
        references.push({ id: e.via, value: source.value, to: e.to, name, width: name.length * LETTER + 12, height: 20 });
      }
    }
  }
  return references;
}

/** Whether a group holds one other group and nothing else: both have one frame. */
function isWrapper(g) {
  const inside = childrenOf.get(g);
  return inside.length === 1 && inside[0].group !== undefined && opened.has(inside[0].group);
}

/** The title of a frame, with those of the groups that have no frame of their own. */
function frameTitle(g) {
  const titles = [groups[g].title];
  for (let p = groups[g].parent; p !== null && isWrapper(p); p = groups[p].parent) titles.unshift(groups[p].title);
  return titles.join(" › ");
}

/** The middle of a node. */
function at(node) {
  return { x: node.x, y: node.y };
}

/** The local derivatives along an edge between two values: `3 + 3` for two uses. */
function slopeText(e) {
  if (e.from[0] === "g" || e.to[0] === "g") return "";
  const texts = e.uses.map((u) => slopeWords(values[u.reader].slopes[u.position]));
  return texts.includes("") ? "" : texts.join(" + ").replaceAll("+ -", "− ");
}

/** A slope for an edge: a number, a few, or their range; nothing for what is no list of numbers. */
function slopeWords(slope) {
  if (!slope || slope.kind !== "elementwise" || !slope.value || slope.value.least === null) return "";
  const s = slope.value;
  if (s.nonfinite || s.dtype.startsWith("complex")) return s.shape.length ? "" : slope.text;
  if (s.least === s.greatest && s.entries === null) return digits(s.least, 4);
  if (!s.shape.length) return digits(s.entries, 4);
  if (s.least === s.greatest) return digits(s.least, 4);
  const listed = s.entries !== null && s.shape.length === 1 ? nested(s.entries, 3) : "";
  return listed && listed.length <= 24 ? listed : `${digits(s.least, 3)} to ${digits(s.greatest, 3)}`;
}

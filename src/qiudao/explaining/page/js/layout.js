// Where the boxes go: dagre's layered layout, with a frame around each open group.

const LETTER = 7.25, ROW = 17, PAD = 10, WIDEST = 40; // of the 12-pixel monospace face

/** The rows of a box: texts with their classes. All that may ever be in them counts for its size. */
function rowsOf(box) {
  const v = values[lastOf(box)];
  const rows = [];
  if (box.group === undefined) {
    rows.push({ text: clipped(titleOf(v), WIDEST), kind: "title" });
    if (v.value && brief(v.value) !== titleOf(v)) rows.push({ text: clipped(brief(v.value), WIDEST), kind: "value" });
  } else {
    const g = groups[box.group];
    rows.push({ text: clipped(g.title, WIDEST), kind: "title" });
    rows.push({ text: `${g.count.toLocaleString("en")} values; the last of them:`, kind: "place" });
    if (v.value) rows.push({ text: clipped(brief(v.value), WIDEST), kind: "value" });
  }
  if (v.gradient && mode !== "forward") rows.push({ text: clipped(`∂ ${fullGradient(v)}`, WIDEST), kind: "gradient" });
  if (mode !== "reverse" && data.forward.directions.length && v.kind !== "constant") {
    rows.push({ text: clipped(`→ ${v.tangents[direction] ? brief(v.tangents[direction]) : "0"}`, WIDEST), kind: "tangent" });
  }
  const line = box.group === undefined ? v.line : groups[box.group].line;
  if (line) rows.push({ text: placeOf(line), kind: "place" });
  return rows;
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
  const graph = new dagre.graphlib.Graph({ compound: true });
  graph.setGraph({ rankdir: "TB", nodesep: 24, ranksep: 40, edgesep: 14, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  const framed = new Set(boxes.flatMap((b) => pathOf(b.around)).filter((g) => !isWrapper(g)));
  const frameOf = (g) => pathOf(g).findLast((each) => framed.has(each));
  for (const g of framed) graph.setNode(`g${g}`, {});
  for (const b of boxes) {
    b.rows = rowsOf(b);
    b.width = Math.max(...b.rows.map((r) => r.text.length)) * LETTER + 2 * PAD;
    b.height = b.rows.length * ROW + PAD + 4;
    graph.setNode(b.id, { width: b.width, height: b.height });
    if (frameOf(b.around) !== undefined) graph.setParent(b.id, `g${frameOf(b.around)}`);
  }
  for (const g of framed) {
    const outer = frameOf(groups[g].parent);
    if (outer !== undefined) graph.setParent(`g${g}`, `g${outer}`);
  }
  for (const e of edges) graph.setEdge(e.from, e.to);
  dagre.layout(graph);
  for (const b of boxes) Object.assign(b, at(graph.node(b.id)));
  for (const e of edges) e.points = graph.edge(e.from, e.to).points;
  const frames = [...framed].map((g) => {
    const n = graph.node(`g${g}`);
    return { group: g, x: n.x - n.width / 2, y: n.y - n.height / 2 - 6, width: n.width, height: n.height + 6 };
  });
  const size = graph.graph();
  return { boxes, edges, frames, width: size.width || 1, height: size.height || 1 };
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

// Which groups are open, and so which boxes are seen.

const MOST = 40; // boxes at first
let opened = chosenAtFirst();

/** Small groups are opened first, ranges of turns never, until about MOST boxes are seen. */
function chosenAtFirst() {
  const open = new Set();
  const inside = (g) => childrenOf.get(g).length;
  let total = inside(null);
  const waiting = childrenOf.get(null).filter((c) => c.group !== undefined).map((c) => c.group);
  while (waiting.length) {
    waiting.sort((a, b) => inside(a) - inside(b));
    const g = waiting.shift();
    if (groups[g].kind === "turns" || total + inside(g) - 1 > MOST) continue;
    total += inside(g) - 1;
    open.add(g);
    for (const c of childrenOf.get(g)) if (c.group !== undefined) waiting.push(c.group);
  }
  return open;
}

/** The boxes seen: a value, or a closed group, each with the open groups around it. */
function boxesSeen() {
  const boxes = [];
  const walk = (g) => {
    for (const c of childrenOf.get(g)) {
      if (c.value !== undefined) boxes.push({ id: `v${c.value}`, value: c.value, around: g });
      else if (opened.has(c.group)) walk(c.group);
      else boxes.push({ id: `g${c.group}`, group: c.group, around: g });
    }
  };
  walk(null);
  return boxes;
}

/** The box that shows a value: its own, or that of the outermost closed group around it. */
function boxOf(value) {
  const closed = pathOf(values[value].group).find((g) => !opened.has(g));
  return closed === undefined ? `v${value}` : `g${closed}`;
}

/** The edges between the boxes seen, with the uses that each stands for. */
function edgesSeen() {
  const edges = new Map();
  for (const v of values) {
    if (isHidden(v)) continue;
    const to = boxOf(v.id);
    v.operands.forEach((x, position) => {
      if (isHidden(values[x])) return;
      const from = boxOf(x);
      if (from === to) return;
      const key = `${from} ${to}`;
      if (!edges.has(key)) edges.set(key, { key, from, to, uses: [] });
      edges.get(key).uses.push({ operand: x, reader: v.id, position });
    });
  }
  return [...edges.values()];
}

/** Open the groups around a value, so that its own box is seen. */
function reveal(value) {
  let changed = false;
  for (const g of pathOf(values[value].group)) {
    if (!opened.has(g)) {
      opened.add(g);
      changed = true;
    }
  }
  return changed;
}

/** Close a group and all in it. */
function close(group) {
  for (const g of [...opened]) if (pathOf(g).includes(group)) opened.delete(g);
}

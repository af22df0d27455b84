// Which groups are open, and so which boxes are seen.

const MOST = 40; // boxes at first
let opened = chosenAtFirst();

/** The groups open at first: small ones before large ones, until about MOST boxes are seen.
 *
 * Groups alike, the turns of a loop with all that is within, are opened together; where that would
 * be too much, only the first of them is. Ranges of turns, fans and arguments stay closed.
 */
function chosenAtFirst() {
  const open = new Set();
  const decided = new Set();
  let total = childrenOf.get(null).length;
  const seen = groupsIn(null);
  for (;;) {
    const alike = new Map();
    for (const g of seen) {
      const key = likenessOf(g);
      if (!["turns", "argument"].includes(groups[g].kind) && !isFan(coreOf(g)) && !decided.has(key)) alike.set(key, [...(alike.get(key) ?? []), g]);
    }
    const cost = (some) => some.reduce((sum, g) => sum + childrenOf.get(coreOf(g)).length - 1, 0);
    const [key, best] = [...alike].sort(([, a], [, b]) => cost(a) - cost(b))[0] ?? [];
    if (!best) return open;
    decided.add(key);
    const some = [best, best.slice(0, 1)].find((each) => total + cost(each) <= MOST) ?? [];
    total += cost(some);
    for (const g of some) {
      seen.splice(seen.indexOf(g), 1, ...groupsIn(coreOf(g)));
      for (let inner = coreOf(g); inner !== groups[g].parent; inner = groups[inner].parent) open.add(inner);
    }
  }
}

/** Whether a group is wide rather than deep: many values, of which few read one another. */
function isFan(group) {
  const inside = childrenOf.get(group).filter((c) => c.value !== undefined).map((c) => c.value);
  const own = new Set(inside);
  const joined = inside.filter((id) => values[id].operands.some((x) => own.has(x)));
  return inside.length > 8 && joined.length < inside.length * 0.7;
}

function groupsIn(g) {
  return childrenOf.get(g).filter((c) => c.group !== undefined).map((c) => c.group);
}

/** The innermost of groups that hold one group each and nothing else. */
function coreOf(group) {
  let g = group;
  while (childrenOf.get(g).length === 1 && childrenOf.get(g)[0].group !== undefined) g = childrenOf.get(g)[0].group;
  return g;
}

/** What groups have in common that are alike: all but the names of the turns around them. */
function likenessOf(group) {
  return pathOf(group).map((g) => (groups[g].kind === "iteration" ? "turn" : groups[g].title)).join("\n");
}

/** The boxes seen: a value, or a closed group, each with the open group around it. */
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

/** Open the groups around a value, so that its own box is seen; whether any was closed. */
function reveal(value) {
  const closed = pathOf(values[value].group).filter((g) => !opened.has(g));
  for (const g of closed) opened.add(g);
  return closed.length > 0;
}

/** Open a group, those around it, and those that it holds alone. */
function open(group) {
  for (const g of pathOf(coreOf(group))) opened.add(g);
}

/** Close a group and all in it. */
function close(group) {
  for (const g of [...opened]) if (pathOf(g).includes(group)) opened.delete(g);
}

// The lines between boxes: they leave below, arrive above, and pass between the boxes upright.

/** Give each edge its points: a place of its own at the border of each box, and upright passages. */
function route(edges, boxes) {
  const byId = new Map(boxes.map((b) => [b.id, b]));
  const bands = bandsOf(boxes);
  for (const e of edges) {
    e.passed = e.points.slice(1, -1).flatMap((p) => {
      const band = bands.find((b) => Math.abs(b.y - p.y) < 1);
      if (band) return [{ x: p.x, y: p.y - band.half }, { x: p.x, y: p.y + band.half }];
      return e.middle && Math.abs(e.middle.y - p.y) < 1 ? [p] : []; // what is between boxes needs no bend
    });
  }
  const ends = (own, other, side) => {
    const some = new Map();
    for (const e of edges) some.set(own(e), [...(some.get(own(e)) ?? []), e]);
    for (const [id, group] of some) {
      const b = byId.get(id);
      const towards = (e) => (side < 0 ? e.passed.at(-1) : e.passed[0])?.x ?? byId.get(other(e)).x;
      group.sort((p, q) => towards(p) - towards(q));
      const apart = Math.min(34, (b.width - 24) / Math.max(1, group.length));
      group.forEach((e, k) => {
        const limit = b.width / 2 - 12;
        const shift = group.length === 1 ? Math.max(-limit, Math.min(limit, (towards(e) - b.x) * 0.35)) : (k - (group.length - 1) / 2) * apart;
        const point = { x: b.x + shift, y: b.y + (side * b.height) / 2 };
        if (side < 0) e.end = point;
        else e.start = point;
      });
    }
  };
  const source = (e) => e.via ?? e.from;
  ends(source, (e) => e.to, 1);
  ends((e) => e.to, source, -1);
}

/** The rows of boxes: where each is, and half of how high it is. */
function bandsOf(boxes) {
  const bands = [];
  for (const b of boxes) {
    const known = bands.find((each) => Math.abs(each.y - b.y) < 1);
    if (known) known.half = Math.max(known.half, b.height / 2);
    else bands.push({ y: b.y, half: b.height / 2 });
  }
  return bands;
}

/** A curve through points that is upright at each of them. */
function curve(points) {
  let d = `M${points[0].x} ${points[0].y}`;
  for (let k = 1; k < points.length; k += 1) {
    const [p, q] = [points[k - 1], points[k]];
    const middle = (p.y + q.y) / 2;
    d += Math.abs(p.x - q.x) < 0.5 ? `L${q.x} ${q.y}` : `C${p.x} ${middle} ${q.x} ${middle} ${q.x} ${q.y}`;
  }
  return d;
}

/** An edge, with the local derivative on it where it is short. */
function edgeFor(e) {
  const g = element("g", { class: "edge" });
  const stop = { x: e.end.x, y: e.end.y - 6 };
  g.append(element("path", { class: "way", d: curve([e.start, ...e.passed, stop]) }));
  g.append(element("path", { class: "tip", d: `M${e.end.x} ${e.end.y}l-3.5 -7h7Z` }));
  if (e.label) {
    const width = e.label.length * SMALL + 6;
    g.append(element("rect", { class: "under", x: e.middle.x - width / 2, y: e.middle.y - 8, width, height: 16 }));
    g.append(element("text", { class: "place", x: e.middle.x, y: e.middle.y + 4, "text-anchor": "middle" }, e.label));
  }
  e.element = g;
  return g;
}

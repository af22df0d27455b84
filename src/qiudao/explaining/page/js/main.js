// Selecting, folding, keys, and the start.

/** Draw again. */
function redraw() {
  draw();
  applyView();
  if (chosen !== null && !drawn.boxes.some((b) => b.id === chosen)) {
    chosen = null;
    inspect();
  }
  show();
}

/** Select a box. */
function choose(id, focus = true) {
  if (chosen !== id) {
    chosen = id;
    if (!drawn.boxes.some((b) => b.id === id) && reveal(Number(id.slice(1)))) redraw();
    update();
    updateOutline();
  }
  if (focus && !listed) drawn.boxes.find((b) => b.id === id)?.element.focus({ preventScroll: true });
}

/** Open a group, keeping its place on the screen. */
function unfold(group) {
  const old = drawn.boxes.find((b) => b.group === group);
  const seen = old && { x: old.x * view.scale + view.x, y: (old.y - old.height / 2) * view.scale + view.y };
  open(group);
  redraw();
  const frame = drawn.frames.find((f) => f.group === coreOf(group));
  if (seen && frame) {
    view.x = seen.x - (frame.x + frame.width / 2) * view.scale;
    view.y = seen.y - frame.y * view.scale;
    applyView();
  }
  const first = drawn.boxes.find((b) => pathOf(b.around).includes(group));
  if (first) choose(first.id);
}

/** Close a group and select it. */
function fold(group) {
  close(group);
  redraw();
  choose(`g${group}`);
  bringIn(`g${group}`);
}

/** Select a value wherever it is, opening what hides it. */
function go(value) {
  if (reveal(value)) redraw();
  choose(`v${value}`);
  if (listed) showLine(value, true);
  else centre(`v${value}`);
}

/** The next box along the edges, or beside on the same height. */
function neighbour(key) {
  const b = drawn.boxes.find((each) => each.id === chosen) ?? drawn.boxes[0];
  if (key === "ArrowUp" || key === "ArrowDown") {
    const ids = drawn.edges.filter((e) => (key === "ArrowUp" ? e.to : e.from) === b.id).map((e) => (key === "ArrowUp" ? e.from : e.to));
    const near = drawn.boxes.filter((o) => ids.includes(o.id));
    return near.sort((p, q) => Math.abs(p.x - b.x) - Math.abs(q.x - b.x))[0];
  }
  const right = key === "ArrowRight";
  const beside = drawn.boxes.filter((o) => o !== b && (right ? o.x > b.x : o.x < b.x) && Math.abs(o.y - b.y) < 60);
  return beside.sort((p, q) => Math.abs(p.x - b.x) - Math.abs(q.x - b.x))[0];
}

const keys = {
  " ": play,
  ".": () => { pause(); goTo(step + 1); },
  ",": () => { pause(); goTo(step - 1); },
  Home: () => { pause(); goTo(0); },
  End: () => { pause(); goTo(steps.length - 1); },
  "/": () => box.focus(),
  "+": () => zoomMiddle(1.25),
  "=": () => zoomMiddle(1.25),
  "-": () => zoomMiddle(0.8),
  0: fit,
  f: () => document.getElementById("fold").click(),
  l: () => setListed(!listed),
  d: () => document.getElementById("theme").click(),
  m: () => { if (data.forward.directions.length && data.backward.seed) setMode({ reverse: "forward", forward: "both", both: "reverse" }[mode]); },
  "?": () => document.getElementById("keys").showModal(),
  Enter: enter,
  Escape: leave,
};

function zoomMiddle(factor) {
  const { width, height } = svg.getBoundingClientRect();
  zoom(factor, width / 2, height / 2);
}

function enter() {
  if (chosen?.[0] === "g") unfold(Number(chosen.slice(1)));
  else if (chosen !== null) centre(chosen);
}

function leave() {
  const b = drawn.boxes.find((each) => each.id === chosen);
  if (!listed && b && b.around !== null) fold(b.around);
  else if (chosen !== null) {
    chosen = null;
    inspect();
    update();
    updateOutline();
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.getElementById("keys").open) return;
  const own = event.target.closest("button, input, select, a, dialog");
  if (event.key.startsWith("Arrow")) {
    if (own || listed) return;
    const next = neighbour(event.key);
    if (next) {
      choose(next.id);
      bringIn(next.id);
    }
    event.preventDefault();
    return;
  }
  if (own && (event.key === " " || event.key === "Enter")) return;
  if (event.target.matches("select, [type=range]") && (event.key === "Home" || event.key === "End")) return;
  const act = keys[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

document.getElementById("fit").addEventListener("click", fit);
document.getElementById("fold").addEventListener("click", () => {
  opened = chosenAtFirst();
  redraw();
  begin();
});
document.getElementById("list").addEventListener("click", () => setListed(!listed));
document.getElementById("help").addEventListener("click", () => document.getElementById("keys").showModal());
document.getElementById("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});
document.getElementById("direction").append(...data.forward.directions.map((d, k) => html("option", { value: String(k) }, `along ${d.label}`)));
document.getElementById("direction").addEventListener("change", (event) => {
  direction = Number(event.target.value);
  redraw();
});

document.getElementById("title").textContent = data.title;
document.getElementById("title").title = data.title;
if (!data.forward.directions.length || !data.backward.seed) document.getElementById("modes").hidden = true;
makeCosts();
draw();
show();
begin();
inspect();
new ResizeObserver(() => applyView()).observe(svg);
document.documentElement.dataset.ready = "yes";

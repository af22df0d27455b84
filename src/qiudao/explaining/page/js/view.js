// Zoom and pan.

const view = { x: 0, y: 0, scale: 1 };

function applyView() {
  document.getElementById("canvas")?.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.scale})`);
}

const READABLE = 0.75, GOOD = 0.9; // scales at which the letters are small, and large enough

/** Show everything, not larger than life. */
function fit() {
  const { width, height } = svg.getBoundingClientRect();
  view.scale = Math.min((width - 32) / drawn.width, (height - 40) / drawn.height, 1);
  view.x = (width - drawn.width * view.scale) / 2;
  view.y = Math.max(14, (height - drawn.height * view.scale) / 2);
  applyView();
}

/** Show everything where it can be read then; else the beginning, at a size that can be read. */
function begin() {
  fit();
  if (view.scale >= READABLE || !drawn.boxes.length) return;
  const { width } = svg.getBoundingClientRect();
  view.scale = Math.max(READABLE, Math.min(GOOD, (width - 32) / drawn.width));
  const top = Math.min(...drawn.boxes.map((b) => b.y - b.height / 2));
  const first = drawn.boxes.filter((b) => b.y - b.height / 2 < top + 100);
  const left = Math.min(...first.map((b) => b.x - b.width / 2)), right = Math.max(...first.map((b) => b.x + b.width / 2));
  const room = width / view.scale;
  const middle = drawn.width <= room ? drawn.width / 2 : right - left <= room - 20 ? (left + right) / 2 : left + room / 2 - 12;
  view.x = width / 2 - middle * view.scale;
  view.y = 14;
  applyView();
}

/** Zoom about a point of the window. */
function zoom(factor, x, y) {
  const next = Math.min(4, Math.max(0.05, view.scale * factor));
  view.x = x - ((x - view.x) * next) / view.scale;
  view.y = y - ((y - view.y) * next) / view.scale;
  view.scale = next;
  applyView();
}

/** Bring a box into the middle. */
function centre(id) {
  const b = drawn.boxes.find((each) => each.id === id);
  if (!b) return;
  const { width, height } = svg.getBoundingClientRect();
  view.x = width / 2 - b.x * view.scale;
  view.y = height / 2 - b.y * view.scale;
  applyView();
}

/** Move as little as makes a box visible. */
function bringIn(id) {
  const b = drawn.boxes.find((each) => each.id === id);
  if (!b) return;
  const { width, height } = svg.getBoundingClientRect();
  const left = (b.x - b.width / 2) * view.scale + view.x, right = left + b.width * view.scale;
  const top = (b.y - b.height / 2) * view.scale + view.y, bottom = top + b.height * view.scale;
  if (right > width - 8) view.x -= right - width + 24;
  if (left < 8) view.x += 24 - left;
  if (bottom > height - 8) view.y -= bottom - height + 24;
  if (top < 8) view.y += 24 - top;
  applyView();
}

svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = svg.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });

const pointers = new Map();
let moved = 0;
svg.addEventListener("mousedown", (event) => {
  event.preventDefault(); // a press takes no focus: it may begin a drag
  document.activeElement?.blur();
});
svg.addEventListener("pointerdown", (event) => {
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  moved = 0;
});
svg.addEventListener("pointermove", (event) => {
  const from = pointers.get(event.pointerId);
  if (!from) return;
  const to = { x: event.clientX, y: event.clientY };
  if (pointers.size === 2) {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const box = svg.getBoundingClientRect();
    const apart = (p) => Math.hypot(p.x - other.x, p.y - other.y);
    zoom(apart(to) / Math.max(apart(from), 1), (to.x + other.x) / 2 - box.left, (to.y + other.y) / 2 - box.top);
  } else {
    view.x += to.x - from.x;
    view.y += to.y - from.y;
    moved += Math.abs(to.x - from.x) + Math.abs(to.y - from.y);
    if (moved > 4) {
      svg.classList.add("dragging");
      svg.setPointerCapture(event.pointerId);
    }
    applyView();
  }
  pointers.set(event.pointerId, to);
});
for (const ending of ["pointerup", "pointercancel", "pointerleave"]) {
  svg.addEventListener(ending, (event) => {
    pointers.delete(event.pointerId);
    svg.classList.remove("dragging");
  });
}
svg.addEventListener("click", (event) => {
  if (moved > 4) event.stopPropagation(); // the end of a drag is no click
}, true);

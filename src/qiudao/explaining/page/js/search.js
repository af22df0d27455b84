// Search over names, expressions, operations and lines.

const box = document.getElementById("search");
const found = document.getElementById("found");
let hits = [];
let hit = -1;

const folded = (texts) => texts.filter(Boolean).join("\n").toLowerCase();
const ownWords = values.map((v) => folded([v.name, v.expression, v.operation]));
const placeWords = values.map((v) => folded([v.line?.text, placeOf(v.line)]));

function look() {
  const words = box.value.trim().toLowerCase();
  hits = [];
  for (const texts of words ? [ownWords, placeWords] : []) { // what is called so comes before what stands there
    for (let id = 0; id < values.length && hits.length < 30; id += 1) {
      if (!isHidden(values[id]) && texts[id].includes(words) && !hits.includes(id)) hits.push(id);
    }
  }
  hit = hits.length ? 0 : -1;
  list();
}

function list() {
  found.replaceChildren(...hits.map((id, k) => {
    const v = values[id];
    const where = [placeOf(v.line), ...pathOf(v.group).slice(-2).map((g) => groups[g].title)].filter(Boolean).join(" · ");
    return html("li", { role: "option", id: `hit-${k}`, "aria-selected": String(k === hit), onclick: () => take(k) },
      clipped(titleOf(v), 48), html("small", {}, clipped(where, 60)));
  }));
  if (box.value.trim() && !hits.length) found.replaceChildren(html("li", { "aria-disabled": "true" }, "nothing found"));
  found.hidden = !box.value.trim();
  box.setAttribute("aria-expanded", String(!found.hidden));
  if (hit >= 0) {
    box.setAttribute("aria-activedescendant", `hit-${hit}`);
    document.getElementById(`hit-${hit}`).scrollIntoView({ block: "nearest" });
  } else box.removeAttribute("aria-activedescendant");
}

function take(k) {
  const id = hits[k];
  box.value = "";
  look();
  box.blur();
  go(id);
}

box.addEventListener("input", look);
box.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (hits.length) hit = (hit + (event.key === "ArrowDown" ? 1 : hits.length - 1)) % hits.length;
    list();
  } else if (event.key === "Enter" && hit >= 0) take(hit);
  else if (event.key === "Escape") {
    box.value = "";
    look();
    box.blur();
  }
  event.stopPropagation();
});
box.addEventListener("blur", () => setTimeout(() => { found.hidden = true; }, 150));
box.addEventListener("focus", () => { if (hits.length) found.hidden = false; });

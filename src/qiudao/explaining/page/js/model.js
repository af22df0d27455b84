// The explained graph (docs/explain-json.md) with what the page looks up in it.

const data = JSON.parse(document.getElementById("data").textContent);
const values = data.values;
const groups = data.groups;

// A loop of one value, as a generator's may be, says nothing that the value does not.
const holds = groups.map(() => 0);
for (const v of values) if (v.group !== null && !isHidden(v)) holds[v.group] += 1;
for (const g of groups) if (g.parent !== null) holds[g.parent] += 2;
for (const v of values) {
  if (v.group !== null && groups[v.group].kind === "loop" && holds[v.group] === 1) v.group = groups[v.group].parent;
}

const childrenOf = new Map([[null, []]]); // group id -> values and groups in it, in order
for (const g of groups) childrenOf.set(g.id, []);
const entered = new Set();
for (const v of values) {
  if (isHidden(v)) continue;
  let inner = { value: v.id };
  let g = v.group;
  childrenOf.get(g).push(inner);
  while (g !== null && !entered.has(g)) {
    entered.add(g);
    childrenOf.get(groups[g].parent).push({ group: g });
    g = groups[g].parent;
  }
}

const readersOf = values.map(() => []);
for (const v of values) v.operands.forEach((x, k) => readersOf[x].push({ reader: v.id, position: k }));

/** A constant that is one number: its readers' expressions show it. */
function isHidden(v) {
  return v.kind === "constant" && v.output === null && v.value !== null
    && v.value.shape.reduce((a, b) => a * b, 1) === 1;
}

/** The groups around a value or a group, outermost first. */
function pathOf(group) {
  const path = [];
  for (let g = group; g !== null; g = groups[g].parent) path.unshift(g);
  return path;
}

/** What a value is called in a sentence. */
function nameOf(v) {
  return v.name || v.expression || v.operation || "a constant";
}

const AUGMENTED = /^ *(\*\*|\/\/|<<|>>|[-+*\/%@&|^])=/; // of `h += b`, behind its name

/** `h = W @ x`, `h += b`, `x`, `np.sin(x)`, `[multiply]`. */
function titleOf(v) {
  if (v.kind !== "operation") return v.name || v.expression || "constant";
  const words = v.expression || `[${v.operation}]`;
  if (!v.name || v.name === words) return words;
  const written = words.startsWith(v.name) && AUGMENTED.test(words.slice(v.name.length));
  return written ? words : `${v.name} = ${words}`;
}

/** `model.py:12`. */
function placeOf(line) {
  return line ? `${line.file.split(/[\\/]/).pop()}:${line.number}` : "";
}

/** A number with few digits, as the summaries have it; a complex one is a text, `1+2j`. */
function digits(x, most = 5) {
  if (typeof x !== "number") return String(x).replace(/\d+(\.\d+)?(e[+-]?\d+)?/g, (part) => digits(Number(part), most));
  if (Number.isInteger(x) && Math.abs(x) < 1e15) return String(x);
  return String(Number(x.toPrecision(most))).replace("e+", "e");
}

/** A text cut to a length with an ellipsis. */
function clipped(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** A summary for a label: few digits, listed only where that is short. */
function brief(s, most = 34) {
  if (!s) return "";
  if (!s.shape.length) return s.text;
  if (s.entries !== null) {
    const listed = nested(s.entries, 3);
    if (listed.length <= most) return listed;
  }
  const kind = `${s.dtype.replace("float", "f").replace("complex", "c").replace("int", "i")}[${s.shape.join(", ")}]`;
  if (s.least === null) return s.nonfinite ? `${kind}, none finite` : kind;
  const lost = s.nonfinite ? `, ${s.nonfinite} not finite` : "";
  const [low, high] = [digits(s.least, 3), digits(s.greatest, 3)];
  const sizes = s.dtype.startsWith("complex") ? " of size" : "";
  return low === high ? `${kind}${sizes || ", all"} ${low}${lost}` : `${kind}${sizes} in [${low}, ${high}]${lost}`;
}

/** Nested lists of numbers as text. */
function nested(entries, most) {
  return Array.isArray(entries) ? `[${entries.map((e) => nested(e, most)).join(", ")}]` : digits(entries, most);
}

/** The sum of summaries whose numbers are known, as nested lists; null where they are not. */
function sumOf(summaries) {
  if (!summaries.length || summaries.some((s) => !s || s.entries === null)) return null;
  const add = (a, b) => (Array.isArray(a) ? a.map((x, k) => add(x, b[k])) : typeof a === "number" && typeof b === "number" ? a + b : NaN);
  return summaries.map((s) => s.entries).reduce(add);
}

// The steps of the play: evaluation forward, then the sweep backward, one equation at a time.

let mode = data.backward.order.length ? "reverse" : "forward";
let direction = 0;
let steps = stepsOf(mode);
let step = steps.length - 1;

/** All steps of a mode; the first is before anything is computed. */
function stepsOf(which) {
  const found = [{ kind: "start" }];
  for (const id of data.forward.order) found.push({ kind: "forward", value: id });
  if (which !== "forward" && data.backward.seed) {
    found.push({ kind: "seed", value: data.backward.seed.output });
    for (const id of data.backward.order) found.push({ kind: "backward", value: id });
  }
  found.push({ kind: "end" });
  return found;
}

// When each thing is seen: the number of the step from which on it is there.
let computedAt = new Map(), pulledAt = new Map(), seedAt = 0;
indexSteps();

function indexSteps() {
  computedAt = new Map();
  pulledAt = new Map();
  seedAt = steps.length;
  steps.forEach((s, k) => {
    if (s.kind === "forward") computedAt.set(s.value, k);
    if (s.kind === "backward") pulledAt.set(s.value, k);
    if (s.kind === "seed") seedAt = k;
  });
}

/** Whether a value is computed at the current step. */
function isComputed(v) {
  return v.kind !== "operation" || (computedAt.get(v.id) ?? 0) <= step;
}

/** Whether a term of a gradient has arrived at the current step. */
function hasArrived(term) {
  return term.reader === null ? seedAt <= step : (pulledAt.get(term.reader) ?? Infinity) <= step;
}

/** The gradient as far as it is known now: text, and whether it is complete. */
function gradientNow(v) {
  if (!v.gradient || mode === "forward") return null;
  const here = v.terms.filter(hasArrived);
  if (!here.length) return null;
  const complete = here.length === v.terms.length;
  const scalars = here.every((t) => t.value && !t.value.shape.length);
  const parts = scalars && here.length > 1 && here.length <= 4
    ? here.map((t) => digits(t.value.entries, 4)).join(" + ").replaceAll("+ -", "− ") : "";
  const total = complete ? brief(v.gradient) : totalText(here);
  return { text: parts ? `${total} = ${parts}` : total, complete, count: here.length };
}

/** The sum of the terms that have arrived, where their numbers are known. */
function totalText(here) {
  const sum = sumOf(here.map((t) => t.value));
  if (sum === null) return here.length === 1 ? brief(here[0].value) : `${here.length} terms so far`;
  const text = Array.isArray(sum) ? nested(sum, 3) : digits(sum);
  return text.length <= 34 ? text : `${here.length} of its terms`;
}

/** The tangent in the direction chosen. */
function tangentNow(v) {
  if (mode === "reverse" || !data.forward.directions.length || !isComputed(v)) return null;
  const t = v.tangents[direction];
  return t ? brief(t) : v.kind === "constant" ? null : "0";
}

/** What happens at the current step, in a sentence. */
function sentence() {
  const s = steps[step];
  if (s.kind === "start") return "The inputs are given; nothing is computed yet.";
  if (s.kind === "end") return ending();
  const v = values[s.value];
  if (s.kind === "forward") {
    const tangent = mode === "reverse" ? null : tangentNow(v);
    const along = tangent === null ? "" : `; its tangent is ${tangent}`;
    return `${titleOf(v)} is computed: ${v.value ? brief(v.value, 60) : "not known"}${along}`;
  }
  if (s.kind === "seed") return `The sweep starts: the derivative of ${data.backward.seed.label} by itself is 1.`;
  const told = v.operands
    .map((x, k) => ({ x, term: values[x].terms.find((t) => t.reader === v.id && t.position === k) }))
    .filter(({ term }) => term)
    .map(({ x, term }) => `${nameOf(values[x])} gets ${term.value ? brief(term.value, 40) : "its part"}${so(values[x])}`);
  return `Back through ${nameOf(v)}: ${told.join("; ") || "nothing to pass on"}`;
}

/** The sentence of the last step. */
function ending() {
  const results = data.outputs.slice(0, 2).map((id) => `${nameOf(values[id])} is ${brief(values[id].value, 40)}`);
  const slopes = mode === "forward" ? [] : data.inputs.slice(0, 3).filter((id) => values[id].gradient)
    .map((id) => `∂ with respect to ${nameOf(values[id])} is ${brief(values[id].gradient, 40)}`);
  return `Done: ${[...results, ...slopes].join("; ")}`;
}

/** `, in all 3 of 7`: how far a sum of several terms has come. */
function so(x) {
  if (x.terms.length < 2) return "";
  const here = x.terms.filter(hasArrived);
  return ` (term ${here.length} of ${x.terms.length}: ∂ = ${gradientNow(x)?.text ?? ""})`;
}

/** What both directions cost for the whole Jacobian. */
function costs() {
  const f = data.forward, b = data.backward;
  if (!f.operations && !b.operations) return "";
  const count = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
  const one = f.sweeps * f.operations, other = b.sweeps * b.operations;
  const wins = one === other ? "both cost the same" : one < other ? "forward mode is the shorter way" : "reverse mode is the shorter way";
  return `All derivatives: forward mode ${count(f.sweeps, "sweep")} × ${count(f.operations, "operation")} = ${one.toLocaleString("en")}; `
    + `reverse mode ${count(b.sweeps, "sweep")} × ${count(b.operations, "operation")} = ${other.toLocaleString("en")}, after one evaluation: ${wins}.`;
}

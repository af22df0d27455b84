// The steps of the play: evaluation forward, then the sweep backward, one equation at a time.

let mode = data.backward.order.length ? "reverse" : "forward";
let direction = 0; // of the forward sweep that is shown
const pushed = data.forward.order.filter((id) => values[id].slopes.some((s) => s !== null));
const turnOf = new Map(pushed.map((id, k) => [id, k])); // in a forward sweep
let steps = stepsOf(mode);
let step = steps.length - 1;

/** All steps of a mode; the first is before anything is computed. */
function stepsOf(which) {
  const found = [{ kind: "start" }];
  for (const id of data.forward.order) found.push({ kind: "forward", value: id });
  if (which !== "forward" && data.backward.seed) {
    const back = [{ kind: "seed", value: data.backward.seed.output }];
    for (const id of data.backward.order) back.push({ kind: "backward", value: id });
    if (which === "both") sideBySide(back);
    found.push(...back);
  }
  found.push({ kind: "end" });
  return found;
}

/** While the sweep goes back, forward mode goes on with its next sweeps, as many as are known.
 *
 * Its first one went along with the evaluation.
 */
function sideBySide(back) {
  const more = (data.forward.directions.length - 1) * pushed.length;
  for (let k = 0; k < more; k += 1) {
    back[k] ??= { kind: "after" };
    back[k].push = { sweep: 1 + Math.floor(k / pushed.length), value: pushed[k % pushed.length] };
  }
}

// When each thing is seen: the number of the step from which on it is there.
let computedAt = new Map(), pulledAt = new Map(), seedAt = 0;
let pushesAt = [], pullsAt = []; // equations done by each mode, by step
indexSteps();

function indexSteps() {
  computedAt = new Map();
  pulledAt = new Map();
  seedAt = steps.length;
  let pushes = 0, pulls = 0;
  pushesAt = [];
  pullsAt = [];
  steps.forEach((s, k) => {
    if (s.kind === "forward") computedAt.set(s.value, k);
    if (s.kind === "backward") pulledAt.set(s.value, k);
    if (s.kind === "seed") seedAt = k;
    if (mode !== "reverse" && s.kind === "forward" && turnOf.has(s.value)) pushes += 1;
    if (s.push) pushes += 1;
    if (s.kind === "backward") pulls += 1;
    pushesAt.push(pushes);
    pullsAt.push(pulls);
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
  if (!Array.isArray(sum)) return digits(sum);
  const numbers = sum.flat(Infinity).filter(Number.isFinite);
  return brief({ ...here[0].value, entries: sum, least: Math.min(...numbers), greatest: Math.max(...numbers) });
}

/** Which forward sweep a value has its tangent from now; null where none has come to it. */
function sweepOf(v) {
  if (mode === "reverse" || !data.forward.directions.length || !isComputed(v)) return null;
  if (mode === "forward") return direction;
  const s = steps[step];
  if (s.kind === "end") return direction;
  if (!s.push) return s.kind === "forward" || s.kind === "start" ? 0 : data.forward.directions.length - 1;
  return (turnOf.get(v.id) ?? -1) <= turnOf.get(s.push.value) ? s.push.sweep : null;
}

/** The tangent that a value has now, as text; null where it has none. */
function tangentNow(v) {
  const sweep = sweepOf(v);
  if (sweep === null) return null;
  const t = v.tangents[sweep];
  return t ? brief(t) : v.kind === "constant" ? null : "0";
}

/** What happens at the current step, in a sentence or two. */
function sentence() {
  const s = steps[step];
  if (s.kind === "start") return "The inputs are given; nothing is computed yet.";
  if (s.kind === "end") return ending();
  const beside = s.push ? sideSentence(s.push) : "";
  if (s.kind === "after") return `Reverse mode is done. ${beside}`;
  const v = values[s.value];
  if (s.kind === "forward") {
    const tangent = tangentNow(v);
    const along = tangent === null ? "" : `; its tangent along ${data.forward.directions[sweepOf(v)].label} is ${tangent}`;
    return `${titleOf(v)} is computed: ${v.value ? brief(v.value, 60) : "not known"}${along}.`;
  }
  if (s.kind === "seed") return `The sweep starts: the derivative of ${data.backward.seed.label} by itself is 1. ${beside}`.trim();
  const told = v.operands
    .map((x, k) => ({ x, term: values[x].terms.find((t) => t.reader === v.id && t.position === k) }))
    .filter(({ term }) => term)
    .map(({ x, term }) => `${nameOf(values[x])} gets ${term.value ? brief(term.value, 40) : "its part"}${so(values[x])}`);
  return `Back through ${nameOf(v)}: ${told.join("; ") || "nothing to pass on"}. ${beside}`.trim();
}

/** What forward mode does meanwhile. */
function sideSentence(push) {
  const v = values[push.value];
  const { label } = data.forward.directions[push.sweep];
  return `Forward mode, sweep ${push.sweep + 1} of ${data.forward.sweeps.toLocaleString("en")}, along ${label}: the tangent of ${nameOf(v)} is ${tangentNow(v)}.`;
}

/** The sentence of the last step. */
function ending() {
  const results = data.outputs.slice(0, 2).map((id) => `${nameOf(values[id])} is ${brief(values[id].value, 40)}`);
  const slopes = mode === "forward" ? [] : data.inputs.slice(0, 3).filter((id) => values[id].gradient)
    .map((id) => `∂ with respect to ${nameOf(values[id])} is ${brief(values[id].gradient, 40)}`);
  return `Done: ${[...results, ...slopes].join("; ")}.`;
}

/** ` (term 2 of 3: ∂ = 1.9 = 1 + 0.9)`: how far a sum of several terms has come. */
function so(x) {
  if (x.terms.length < 2) return "";
  const here = x.terms.filter(hasArrived);
  return ` (term ${here.length} of ${x.terms.length}: ∂ = ${gradientNow(x)?.text ?? ""})`;
}

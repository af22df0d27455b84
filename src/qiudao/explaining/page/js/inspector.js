// The panel: all that is known of the value that is selected.

const panel = document.getElementById("panel");

/** An HTML element with properties and children; texts are set as text. */
function html(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** Fill the panel for the box that is selected. */
function inspect() {
  const parts = chosen === null ? welcome() : chosen[0] === "g" ? ofGroup(Number(chosen.slice(1))) : ofValue(values[Number(chosen.slice(1))]);
  const held = [...panel.querySelectorAll("button, pre")].indexOf(document.activeElement);
  panel.replaceChildren(...parts);
  if (held >= 0) panel.querySelectorAll("button, pre")[held]?.focus(); // the keyboard stays where it was
}

function welcome() {
  const seed = data.backward.seed;
  return [
    html("h2", {}, data.title),
    html("p", { class: "soft" }, seed ? `∂ is the derivative of ${seed.label} with respect to each value.` : "No derivative was taken."),
    html("p", { class: "soft" }, "Select a value to see how it is made and what its gradient sums."),
    ...data.notes.map((n) => html("p", { class: "soft" }, n.endsWith(".") ? n : `${n}.`)),
    html("h3", {}, "Inputs"), listOf(data.inputs.map((id) => values[id])),
    html("h3", {}, "Results"), listOf(data.outputs.map((id) => values[id])),
  ];
}

function listOf(some) {
  const list = html("dl", { class: "values" });
  for (const v of some.slice(0, 60)) list.append(html("dt", {}, link(v)), html("dd", {}, brief(v.value)));
  return list;
}

/** A button that selects a value. */
function link(v, words = titleOf(v)) {
  return html("button", { class: "link", onclick: () => go(v.id), title: words }, clipped(words, 60));
}

function ofGroup(g) {
  const group = groups[g];
  const inside = childrenOf.get(g);
  return [
    html("h2", {}, group.title),
    html("p", { class: "soft" }, `${group.kind} of ${group.count.toLocaleString("en")} values${group.line ? `, ${placeOf(group.line)}` : ""}`),
    html("p", {}, html("button", { onclick: () => unfold(g) }, "open")),
    html("h3", {}, "Within"),
    ...inside.slice(0, 60).map((c) => html("p", {}, c.value !== undefined ? link(values[c.value])
      : html("button", { class: "link", onclick: () => { unfold(g); choose(`g${c.group}`); } }, groups[c.group].title))),
    ...(inside.length > 60 ? [html("p", { class: "soft" }, `and ${inside.length - 60} more`)] : []),
  ];
}

function ofValue(v) {
  const parts = [html("h2", {}, titleOf(v))];
  const kind = v.kind === "operation" ? `${v.operation}${v.fields ? ` (${v.fields})` : ""}` : v.kind;
  const type = v.value ? `, ${v.value.dtype}[${v.value.shape.join(", ")}]` : "";
  parts.push(html("p", { class: "soft" }, `${kind}${type}${v.output !== null ? ", a result" : ""}`));
  parts.push(...withinOf(v.group));
  if (v.line) parts.push(...lineOf(v.line));
  if (isComputed(v) && v.value) parts.push(html("h3", {}, "Value"), ...arrayOf(v.value, ""));
  else if (!v.value && v.kind === "operation") parts.push(html("p", { class: "soft" }, "the value is not known"));
  if (v.gradient && mode !== "forward") parts.push(...gradientOf(v));
  const sweep = sweepOf(v);
  if (sweep !== null && v.tangents[sweep]) {
    parts.push(html("h3", {}, `Tangent along ${data.forward.directions[sweep].label}`), ...arrayOf(v.tangents[sweep], "tangent"));
  }
  if (v.operands.length) {
    parts.push(html("h3", {}, "Computed from"));
    v.operands.forEach((x, k) => parts.push(operandOf(v, x, k)));
  }
  const readers = readersOf[v.id].filter((r, k, all) => all.findIndex((o) => o.reader === r.reader) === k);
  if (readers.length) {
    parts.push(html("h3", {}, "Read by"));
    for (const r of readers.slice(0, 30)) parts.push(html("p", {}, link(values[r.reader])));
    if (readers.length > 30) parts.push(html("p", { class: "soft" }, `and ${readers.length - 30} more`));
  }
  return parts;
}

/** The groups around, each of which can be folded from here. */
function withinOf(group) {
  const path = pathOf(group);
  if (!path.length) return [];
  const names = path.map((g) => html("button", { class: "link", onclick: () => fold(g), title: `fold ${groups[g].title}` }, clipped(groups[g].title, 40)));
  return [html("p", { class: "soft" }, "within ", ...names.flatMap((n, k) => (k ? [" › ", n] : [n])))];
}

/** The user's line with those around it. */
function lineOf(line) {
  const found = data.sources.find((s) => s.file === line.file && s.first <= line.number && line.number < s.first + s.lines.length);
  const place = html("p", { class: "soft" }, placeOf(line));
  if (!found) return line.text ? [place, html("pre", {}, html("span", { class: "here" }, line.text))] : [place];
  const here = line.number - found.first;
  const from = Math.max(0, here - 3), to = Math.min(found.lines.length, here + 4);
  const wide = String(found.first + to).length;
  const pre = html("pre", { tabindex: "0", "aria-label": `${placeOf(line)} with the lines around it` });
  for (let k = from; k < to; k += 1) {
    pre.append(html("span", { class: k === here ? "here" : "" }, html("b", {}, `${String(found.first + k).padStart(wide)}  `), found.lines[k]));
  }
  return [place, pre];
}

/** The gradient and the terms that it sums, as far as they have arrived. */
function gradientOf(v) {
  const now = gradientNow(v);
  const parts = [html("h3", {}, "Gradient")];
  if (!now) parts.push(html("p", { class: "soft" }, "not yet: the sweep has not come to what reads this value"));
  else if (now.complete) parts.push(...arrayOf(v.gradient, "gradient"));
  else parts.push(html("p", { class: "figures gradient" }, `so far ${now.text} + …`));
  if (v.terms.length > 1) {
    parts.push(html("h3", {}, `The sum of ${v.terms.length} terms, one for each use`));
    const wide = v.terms.slice(0, 40).some((t) => t.value?.shape.length);
    const list = html("ul", { class: wide ? "sum wide" : "sum" });
    v.terms.slice(0, 40).forEach((t, k) => list.append(termOf(v, t, k)));
    parts.push(list);
    if (v.terms.length > 40) parts.push(html("p", { class: "soft" }, `and ${v.terms.length - 40} more`));
  } else if (v.terms.length === 1 && v.terms[0].reader !== null) {
    parts.push(html("p", { class: "soft" }, "from its one use, ", link(values[v.terms[0].reader])));
  }
  return parts;
}

/** A term of a sum: its number, the operation that it came back through, and that one's line. */
function termOf(v, t, k) {
  const state = steps[step].kind === "backward" && t.reader === steps[step].value ? "now" : hasArrived(t) ? "" : "coming";
  const number = t.value ? brief(t.value) : "…";
  const row = html("li", { class: state }, html("span", {}, k ? "+" : "="), html("span", { class: "number" }, number));
  if (t.reader === null) {
    row.append(html("span", {}, "as the result"));
    return row;
  }
  const reader = values[t.reader];
  const slope = reader.slopes[t.position]?.value;
  const product = reader.gradient && slope && !slope.shape.length && !reader.gradient.shape.length
    ? `${brief(reader.gradient)} × ${brief(slope)}` : "";
  row.append(html("span", {}, link(reader, `through ${nameOf(reader)}`),
    html("small", {}, [product, placeOf(reader.line)].filter(Boolean).join(" · "))));
  row.addEventListener("pointerenter", () => highlight(v.id, t.reader));
  row.addEventListener("focusin", () => highlight(v.id, t.reader));
  row.addEventListener("pointerleave", markEdges);
  return row;
}

/** Mark the edge along which a term came. */
function highlight(operand, reader) {
  const e = drawn.edges.find((each) => each.from === boxOf(operand) && each.to === boxOf(reader));
  e?.element.setAttribute("class", "edge now");
}

/** An operand with the local derivative: its numbers where they are few, else what it is. */
function operandOf(v, x, k) {
  const slope = v.slopes[k];
  const p = html("div", { class: "operand" }, link(values[x]));
  if (!slope) return p;
  const few = slope.value !== null && slope.value.entries !== null && [1, 2].includes(slope.value.shape.length)
    && slope.value.least !== slope.value.greatest;
  const words = slope.value === null ? `a linear map (${slope.text})` : few ? "" : brief(slope.value);
  const name = slope.kind === "matrix" ? "Jacobian " : "slope ";
  p.append(html("span", { class: "soft" }, name, html("span", { class: "figures" }, words)));
  if (few) p.append(...arrayOf(slope.value, ""));
  return p;
}

/** An array: in full where it is small, else its range and a picture. */
function arrayOf(s, kind) {
  if (s.entries !== null && s.shape.length <= 1) {
    const numbers = s.shape.length ? s.entries : [s.entries];
    const words = numbers.map((x) => digits(x, 6));
    const wide = Math.max(0, ...words.map((word) => word.length));
    return [html("p", { class: `numbers ${kind}` }, ...words.map((word) => html("span", {}, word.padStart(wide))))];
  }
  if (s.entries !== null && s.shape.length === 2) {
    const rows = s.entries;
    const table = html("table", { class: kind });
    for (const row of rows) table.append(html("tr", {}, ...row.map((x) => html("td", {}, digits(x, 6)))));
    return [html("div", { class: "scroll" }, table)];
  }
  const facts = [];
  if (s.least !== null) facts.push(`${s.dtype.startsWith("complex") ? "sizes " : ""}from ${digits(s.least)} to ${digits(s.greatest)}, mean ${digits(s.mean)}`);
  if (s.zeros) facts.push(`${s.zeros.toLocaleString("en")} zeros`);
  if (s.nonfinite) facts.push(`${s.nonfinite.toLocaleString("en")} not finite`);
  const parts = [html("p", { class: `figures ${kind}` }, facts.join("; ") || "empty")];
  if (s.thumbnail) parts.push(heat(s));
  return parts;
}

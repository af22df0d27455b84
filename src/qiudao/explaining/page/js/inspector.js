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
  panel.replaceChildren(...parts);
}

function welcome() {
  const seed = data.backward.seed;
  return [
    html("h2", {}, data.title),
    html("p", { class: "soft" }, seed ? `∂ is the derivative of ${seed.label} with respect to each value.` : "No derivative was taken."),
    html("p", { class: "soft" }, "Select a value to see how it is made and what its gradient sums."),
    ...data.notes.map((n) => html("p", { class: "soft" }, n)),
    html("h3", {}, "Inputs"), ...listOf(data.inputs.map((id) => values[id])),
    html("h3", {}, "Results"), ...listOf(data.outputs.map((id) => values[id])),
  ];
}

function listOf(some) {
  return some.slice(0, 60).map((v) => html("p", {}, link(v), html("span", { class: "soft" }, `  ${brief(v.value)}`)));
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
      : html("button", { class: "link", onclick: () => { unfold(g); choose(boxIdOfGroup(c.group)); } }, groups[c.group].title))),
    ...(inside.length > 60 ? [html("p", { class: "soft" }, `and ${inside.length - 60} more`)] : []),
  ];
}

function boxIdOfGroup(g) {
  return `g${g}`;
}

function ofValue(v) {
  const parts = [html("h2", {}, titleOf(v))];
  const kind = v.kind === "operation" ? `${v.operation}${v.fields ? ` (${v.fields})` : ""}` : v.kind;
  const type = v.value ? `, ${v.value.dtype}[${v.value.shape.join(", ")}]` : "";
  parts.push(html("p", { class: "soft" }, `${kind}${type}${v.output !== null ? ", a result" : ""}`));
  if (v.line) parts.push(...lineOf(v.line));
  if (isComputed(v) && v.value) parts.push(html("h3", {}, "Value"), ...arrayOf(v.value, ""));
  else if (!v.value && v.kind === "operation") parts.push(html("p", { class: "soft" }, "the value is not known"));
  if (v.gradient && mode !== "forward") parts.push(...gradientOf(v));
  const tangent = tangentNow(v);
  if (tangent !== null && v.tangents[direction]) {
    parts.push(html("h3", {}, `Tangent along ${data.forward.directions[direction].label}`), ...arrayOf(v.tangents[direction], "tangent"));
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
  if (v.terms.length > 1) {
    parts.push(html("h3", {}, `The sum of ${v.terms.length} terms, one for each use`));
    const list = html("ul", { class: "sum" });
    v.terms.slice(0, 40).forEach((t, k) => {
      const arrived = hasArrived(t);
      const fresh = steps[step].kind === "backward" && t.reader === steps[step].value;
      const row = html("li", { class: fresh ? "now" : arrived ? "" : "coming" },
        html("span", {}, k ? "+" : "="),
        html("span", { class: "number" }, t.value ? clipped(brief(t.value, 22), 30) : "…"),
        t.reader === null ? html("span", {}, "as the result") : link(values[t.reader], `through ${nameOf(values[t.reader])}`));
      row.addEventListener("pointerenter", () => highlight(v.id, t.reader));
      row.addEventListener("pointerleave", update);
      list.append(row);
    });
    parts.push(list);
    if (v.terms.length > 40) parts.push(html("p", { class: "soft" }, `and ${v.terms.length - 40} more`));
  } else if (v.terms.length === 1 && v.terms[0].reader !== null) {
    parts.push(html("p", { class: "soft" }, "from its one use, ", link(values[v.terms[0].reader])));
  }
  return parts;
}

function highlight(operand, reader) {
  if (reader === null) return;
  const e = drawn.edges.find((each) => each.from === boxOf(operand) && each.to === boxOf(reader));
  e?.element.setAttribute("class", "edge now");
}

/** An operand with the local derivative. */
function operandOf(v, x, k) {
  const slope = v.slopes[k];
  const p = html("p", {}, link(values[x]));
  if (slope) {
    const words = slope.value === null ? `a linear map (${slope.text})` : brief(slope.value);
    p.append(html("span", { class: "soft" }, `  slope ${words}`));
  }
  return p;
}

/** An array: in full where it is small, else its range and a picture. */
function arrayOf(s, kind) {
  if (s.entries !== null && s.shape.length <= 1) {
    const numbers = s.shape.length ? s.entries : [s.entries];
    return [html("p", { class: `numbers ${kind}` }, ...numbers.map((x) => html("span", {}, digits(x, 6))))];
  }
  if (s.entries !== null && s.shape.length === 2) {
    const rows = s.entries;
    const table = html("table", { class: kind });
    for (const row of rows) table.append(html("tr", {}, ...row.map((x) => html("td", {}, digits(x, 6)))));
    return [html("div", { class: "scroll" }, table)];
  }
  const facts = [];
  if (s.least !== null) facts.push(`from ${digits(s.least)} to ${digits(s.greatest)}, mean ${digits(s.mean)}`);
  if (s.zeros) facts.push(`${s.zeros.toLocaleString("en")} zeros`);
  if (s.nonfinite) facts.push(`${s.nonfinite.toLocaleString("en")} not finite`);
  const parts = [html("p", { class: kind }, facts.join("; ") || "empty")];
  if (s.thumbnail) parts.push(heat(s));
  return parts;
}

/** A 2-D array as a small picture: dark is low. Missing blocks are crossed out. */
function heat(s) {
  const rows = s.thumbnail.length, columns = s.thumbnail[0].length, cell = 10;
  const picture = element("svg", { class: "heat", width: columns * cell, height: rows * cell, role: "img",
    "aria-label": `heat map of ${s.shape.join(" by ")} elements from ${digits(s.least)} to ${digits(s.greatest)}` });
  s.thumbnail.forEach((row, i) => row.forEach((x, j) => {
    const fill = x === null ? "#c8323c" : `hsl(${215 - 35 * x} ${45 + 20 * x}% ${18 + 68 * x}%)`;
    picture.append(element("rect", { x: j * cell, y: i * cell, width: cell, height: cell, fill }));
  }));
  return picture;
}

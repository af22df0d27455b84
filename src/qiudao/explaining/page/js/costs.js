// What each direction costs for all derivatives, and how much of that was played.

const costs = document.getElementById("costs");
const played = {};

/** The table: a row for each mode; the shorter way is marked. */
function makeCosts() {
  const rows = { forward: data.forward, reverse: data.backward };
  const many = (n) => n.toLocaleString("en");
  const counts = { forward: [data.forward.operations], reverse: pullsOfOutputs() };
  const totals = { forward: data.forward.sweeps * data.forward.operations, reverse: pullsInAll(counts.reverse) };
  const whole = (m) => totals[m];
  const range = (some) => [...new Set([Math.min(...some), Math.max(...some)])].map(many).join(" to ");
  if (!data.forward.operations || !data.backward.operations) return;
  const best = whole("forward") === whole("reverse") ? null : whole("forward") < whole("reverse") ? "forward" : "reverse";
  const head = html("tr", {}, ...[aside("all derivatives take"), "sweeps", "", "operations", "", "in all", "played"].map((t) => html("th", t ? { scope: "col" } : {}, t)));
  const body = Object.keys(rows).map((m) => {
    played[m] = html("td", {});
    return html("tr", m === best ? { class: "best" } : {},
      html("th", { scope: "row" }, m, aside(` mode${m === best ? ", the shorter way" : best === null && m === "reverse" ? ", the same" : ""}`)),
      html("td", {}, many(rows[m].sweeps)), html("td", {}, "×"), html("td", {}, range(counts[m])),
      html("td", {}, "="), html("td", {}, many(whole(m))), played[m]);
  });
  costs.replaceChildren(html("thead", {}, head), html("tbody", {}, ...body));
}

/** The equations that a sweep from each output goes through; one number where they are too many. */
function pullsOfOutputs() {
  if (data.outputs.length === 1 || data.outputs.length * values.length > 5e6) return [data.backward.operations];
  return data.outputs.map((id) => {
    const met = new Set([id]);
    for (const each of met) for (const x of values[each].operands) met.add(x); // grows as it is walked
    return [...met].filter((each) => turnOf.has(each)).length;
  });
}

/** All of them: a sweep for each element of each output. */
function pullsInAll(counts) {
  if (counts.length === 1) return data.backward.sweeps * counts[0];
  const elements = data.outputs.map((id) => (values[id].value?.shape ?? []).reduce((a, b) => a * b, 1));
  return counts.reduce((sum, n, k) => sum + n * elements[k], 0);
}

/** Words that a phone has no room for. */
function aside(words) {
  return html("span", { class: "aside" }, words);
}

/** How many equations each mode has done at the current step. */
function updateCosts() {
  if (!played.forward) return;
  played.forward.textContent = mode === "reverse" ? "–" : pushesAt[step].toLocaleString("en");
  played.reverse.textContent = mode === "forward" ? "–" : pullsAt[step].toLocaleString("en");
}

// What each direction costs for all derivatives, and how much of that was played.

const costs = document.getElementById("costs");
const played = {};

/** The table: a row for each mode; the shorter way is marked. */
function makeCosts() {
  const rows = { forward: data.forward, reverse: data.backward };
  const whole = (m) => rows[m].sweeps * rows[m].operations;
  const many = (n) => n.toLocaleString("en");
  if (!data.forward.operations || !data.backward.operations) return;
  const best = whole("forward") === whole("reverse") ? null : whole("forward") < whole("reverse") ? "forward" : "reverse";
  const head = html("tr", {}, ...[aside("all derivatives take"), "sweeps", "", "operations", "", "in all", "played"].map((t) => html("th", t ? { scope: "col" } : {}, t)));
  const body = Object.keys(rows).map((m) => {
    played[m] = html("td", {});
    return html("tr", m === best ? { class: "best" } : {},
      html("th", { scope: "row" }, m, aside(` mode${m === best ? ", the shorter way" : best === null && m === "reverse" ? ", the same" : ""}`)),
      html("td", {}, many(rows[m].sweeps)), html("td", {}, "×"), html("td", {}, many(rows[m].operations)),
      html("td", {}, "="), html("td", {}, many(whole(m))), played[m]);
  });
  costs.replaceChildren(html("thead", {}, head), html("tbody", {}, ...body));
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

// Playing the steps.

let timer = null;
const playButton = document.getElementById("play");
const told = document.getElementById("sentence");
const slider = document.getElementById("slider");

/** Show the current step everywhere. */
function show() {
  update();
  updateOutline();
  updateCosts();
  const words = sentence();
  told.textContent = words;
  slider.max = steps.length - 1;
  slider.value = step;
  slider.setAttribute("aria-valuetext", words);
  const many = (n) => n.toLocaleString("en");
  document.getElementById("count").textContent = `${many(step)} of ${many(steps.length - 1)}`;
}

/** Go to a step, and bring what happens there into view. */
function goTo(next) {
  step = Math.max(0, Math.min(steps.length - 1, next));
  show();
  const s = steps[step];
  if (s.value !== undefined) {
    if (listed) lines.get(s.value)?.row.scrollIntoView({ block: "nearest" });
    else bringIn(boxOf(s.value));
  }
  if (step === steps.length - 1) pause();
}

function play() {
  if (timer !== null) return pause();
  if (step === steps.length - 1) goTo(0);
  const pace = Math.max(60, Math.min(1200, 24000 / steps.length)); // all of it in about 24 s
  const stride = Math.max(1, Math.ceil(steps.length / 400));
  told.setAttribute("aria-live", pace < 800 ? "off" : "polite"); // no voice keeps up with more
  timer = setInterval(() => goTo(step + stride), pace);
  playButton.textContent = "pause";
  return undefined;
}

function pause() {
  clearInterval(timer);
  timer = null;
  told.setAttribute("aria-live", "polite");
  playButton.textContent = "play";
}

/** Change the mode: reverse, forward, or both. */
function setMode(next) {
  pause();
  const atEnd = step === steps.length - 1;
  mode = next;
  steps = stepsOf(mode);
  indexSteps();
  step = atEnd ? steps.length - 1 : Math.min(step, steps.length - 1);
  for (const radio of document.getElementsByName("mode")) radio.checked = radio.value === mode;
  document.getElementById("direction").hidden = mode === "reverse" || data.forward.directions.length < 2;
  redraw();
}

playButton.addEventListener("click", play);
document.getElementById("first").addEventListener("click", () => { pause(); goTo(0); });
document.getElementById("back").addEventListener("click", () => { pause(); goTo(step - 1); });
document.getElementById("next").addEventListener("click", () => { pause(); goTo(step + 1); });
document.getElementById("last").addEventListener("click", () => { pause(); goTo(steps.length - 1); });
slider.addEventListener("input", (event) => { pause(); goTo(Number(event.target.value)); });
for (const radio of document.getElementsByName("mode")) radio.addEventListener("change", () => setMode(radio.value));

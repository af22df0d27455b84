// Playing the steps.

let timer = null;
const playButton = document.getElementById("play");

/** Go to a step. */
function goTo(next) {
  step = Math.max(0, Math.min(steps.length - 1, next));
  update();
  const s = steps[step];
  if (s.value !== undefined) bringIn(boxOf(s.value));
  if (step === steps.length - 1) pause();
}

function play() {
  if (timer !== null) return pause();
  if (step === steps.length - 1) goTo(0);
  const pace = Math.max(60, Math.min(1200, 24000 / steps.length)); // all of it in about 24 s
  const stride = Math.max(1, Math.ceil(steps.length / 400));
  timer = setInterval(() => goTo(step + stride), pace);
  playButton.textContent = "pause";
  return undefined;
}

function pause() {
  clearInterval(timer);
  timer = null;
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
document.getElementById("slider").addEventListener("input", (event) => { pause(); goTo(Number(event.target.value)); });
for (const radio of document.getElementsByName("mode")) radio.addEventListener("change", () => setMode(radio.value));

// Play the steps: buttons, slider and keys change the step, from which everything is drawn.

const byId = (id) => document.getElementById(id);
const last = data.steps.length - 1;
const state = { step: 0, chosen: null, timer: null };

const nameOf = (step) => {
  const [pass, number] = data.steps[step];
  return pass === "given" ? "what is given" : `${pass}: ${nodes[number].label}`;
};
const titleOf = (step) => `step ${step + 1} of ${data.steps.length}, ${nameOf(step)}`;

function announcementOf(step) {
  const [pass, number] = data.steps[step];
  if (pass === "given") return titleOf(step);
  const value = pass === "forward" ? nodes[number].value : nodes[number].gradient;
  return `${titleOf(step)}, ${pass === "forward" ? "value" : "gradient"} ${inWords(value)}`;
}

function show() {
  const { step, chosen } = state;
  const title = titleOf(step);
  byId("where").textContent = title;
  byId("slider").value = step + 1;
  byId("slider").setAttribute("aria-valuetext", title);
  byId("first").disabled = byId("back").disabled = step === 0;
  byId("last").disabled = byId("forward").disabled = step === last;
  showInGraph(step, chosen);
  if (chosen === null) {
    const [pass, number] = data.steps[step];
    fillPanel(title[0].toUpperCase() + title.slice(1), STEPS[pass](number));
  } else {
    const back = element("button", { type: "button", id: "to-step", onclick: () => select(null, true) },
      `Back to step ${step + 1}`);
    fillPanel(`Node ${nodes[chosen].label}`, nodeView(chosen), back);
  }
}

function go(step) {
  state.step = Math.max(0, Math.min(last, step));
  state.chosen = null;
  show();
  byId("announcement").textContent = announcementOf(state.step);
}

function select(number, moveFocus) {
  pause();
  state.chosen = number;
  show();
  byId("announcement").textContent = number === null ? announcementOf(state.step)
    : `${nodes[number].label}: where its gradient comes from is shown`;
  if (moveFocus) byId("panel-heading").focus();
}

function play() {
  if (state.step === last) go(0);
  byId("play").textContent = "Pause";
  clearInterval(state.timer);
  state.timer = setInterval(() => {
    go(state.step + 1);
    if (state.step === last) pause();
  }, 1000 / Number(byId("speed").value));
}

function pause() {
  clearInterval(state.timer);
  state.timer = null;
  byId("play").textContent = "Play";
}

const toggle = () => (state.timer === null ? play() : pause());

// A step by hand stops the playback.
function step(wanted) {
  pause();
  go(wanted);
}

// Keys mean the same everywhere, except where an element has its own use for them.
function onKey(event) {
  const { tagName } = event.target;
  if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || tagName === "SELECT") return;
  const isPressed = ["BUTTON", "SUMMARY", "A"].includes(tagName);
  const actions = {
    ArrowLeft: () => step(state.step - 1),
    ArrowRight: () => step(state.step + 1),
    Home: () => step(0),
    End: () => step(last),
    " ": toggle,
  };
  if (!actions[event.key] || (event.key === " " && isPressed)) return;
  event.preventDefault();
  actions[event.key]();
}

function start() {
  byId("subtitle").textContent = data.subtitle;
  if (data.total > nodes.length) {
    byId("left-out").textContent =
      `The graph has ${data.total} nodes; shown are the ${nodes.length} nearest to its end.`;
    byId("left-out").hidden = false;
  }
  byId("slider").max = data.steps.length;
  selectNode = select;
  drawGraph((number) => select(number === state.chosen ? null : number, false));
  byId("first").onclick = () => step(0);
  byId("back").onclick = () => step(state.step - 1);
  byId("play").onclick = toggle;
  byId("forward").onclick = () => step(state.step + 1);
  byId("last").onclick = () => step(last);
  byId("slider").oninput = (event) => step(Number(event.target.value) - 1);
  byId("speed").onchange = () => state.timer !== null && play();
  byId("zoom-in").onclick = () => zoomKeeping(scale * 1.25);
  byId("zoom-out").onclick = () => zoomKeeping(scale / 1.25);
  byId("zoom-fit").onclick = () => zoomKeeping(fitting());
  document.addEventListener("keydown", onKey);
  go(0);
}

function zoomKeeping(wanted) {
  zoom(wanted);
  keepInView(state.chosen ?? data.steps[state.step][1]);
}

// Copies of the page's numbers, for tests.
const copyOf = (value) => (isArray(value)
  ? { shape: [...arrayOf(value).shape], entries: [...arrayOf(value).entries] }
  : value === null ? null : asNumber(value));
window.micrograde = Object.freeze({
  value: (number) => copyOf(nodes[number].value),
  gradient: (number) => copyOf(nodes[number].gradient),
});

start();
performance.mark("walkthrough-ready");

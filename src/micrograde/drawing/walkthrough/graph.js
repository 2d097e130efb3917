// Draw the graph: boxes and lines where graphviz placed them, and the values known at a step.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 8;
const SMALLEST = 0.1, LARGEST = 3, READABLE = 0.9; // scales
const TALL = 600; // pixels; a taller graph is shown beside the step, not above it

const canvas = document.getElementById("canvas");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let picture, boxes, lines, scale = 1;

// The step at which each node's value, and its gradient, is known.
const valueKnown = nodes.map(() => 0), gradientKnown = nodes.map(() => Infinity);
data.steps.forEach(([pass, node], step) => {
  if (pass === "forward") valueKnown[node] = step;
  if (pass === "backward") gradientKnown[node] = step;
});

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.append(...children);
  return made;
}

function drawGraph(onSelect) {
  const left = -MARGIN, width = data.width + 2 * MARGIN, height = data.height + 2 * MARGIN;
  picture = drawn("svg", { viewBox: `${left} ${left} ${width} ${height}`, role: "group", "aria-label": "Graph" });
  picture.append(drawn("defs", {}, arrow("arrow", 1), arrow("arrow-forward", 1), arrow("arrow-backward", -1)));
  lines = data.edges.map((edge) => drawn("path", { class: "edge", d: edge.path }));
  boxes = nodes.map((node, number) => drawBox(node, number, onSelect));
  picture.append(drawn("g", { "aria-hidden": "true" }, ...lines), ...boxes);
  canvas.append(picture);
  if (data.height > TALL) document.body.classList.add("tall");
  zoom(Math.max(READABLE, Math.min(1.15, fitting())));
}

function arrow(id, direction) {
  const shape = direction > 0 ? "M0 0L8 4L0 8z" : "M8 0L0 4L8 8z";
  const tip = direction > 0 ? 8 : 0;
  return drawn(
    "marker",
    { id, viewBox: "0 0 8 8", refX: tip, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" },
    drawn("path", { d: shape }),
  );
}

function drawBox(node, number, onSelect) {
  const rows = node.gradient === null ? 2 : 3;
  const text = (row, className) =>
    drawn("text", { class: className, x: 0, y: (row - (rows - 1) / 2) * 15 + 4 });
  const box = drawn(
    "g",
    {
      class: `box ${node.kind.replace(" ", "-")}`, transform: `translate(${node.x} ${node.y})`,
      tabindex: 0, role: "button", "data-node": number,
    },
    drawn("rect", { x: -node.width / 2, y: -node.height / 2, width: node.width, height: node.height, rx: 6 }),
    ...["title", "number value", "number gradient"].slice(0, rows).map((name, row) => text(row, name)),
  );
  const characters = [...node.label];
  box.querySelector(".title").textContent =
    characters.length > data.titleSigns ? `${characters.slice(0, data.titleSigns - 1).join("")}…` : node.label;
  box.addEventListener("click", () => onSelect(number));
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    onSelect(number);
  });
  return box;
}

const brief = (value) => (isArray(value) ? shapeOf(arrayOf(value)) : shown(asNumber(value), 4));

function briefGradient(value) {
  if (!isArray(value)) return `grad ${shown(asNumber(value), 4)}`;
  const { norm } = arrayOf(value);
  return norm === undefined ? "‖grad‖ NaN" : `‖grad‖ ${shown(asNumber(norm), 4)}`;
}

// Write the values known at a step into the boxes, and mark the current and the chosen node.
function showInGraph(step, chosen) {
  const [pass, current] = data.steps[step];
  boxes.forEach((box, number) => {
    const node = nodes[number];
    const hasValue = valueKnown[number] <= step, hasGradient = gradientKnown[number] <= step;
    const isCurrent = number === current && pass !== "given";
    const write = (name, text, odd) => {
      const line = box.querySelector(name);
      if (!line) return;
      if (line.textContent !== text) line.textContent = text;
      line.classList.toggle("odd", odd);
    };
    write(".value", hasValue ? brief(node.value) : "…", hasValue && isOdd(node.value));
    write(".gradient", hasGradient ? briefGradient(node.gradient) : "grad …", hasGradient && isOdd(node.gradient));
    box.classList.toggle("pending", !hasValue);
    box.classList.toggle("current", isCurrent);
    box.classList.toggle("backward", isCurrent && pass === "backward");
    box.classList.toggle("chosen", number === chosen);
    const value = hasValue ? `value ${inWords(node.value)}` : "value not yet computed";
    const gradient = hasGradient ? `, gradient ${inWords(node.gradient)}` : "";
    box.setAttribute("aria-label", `${node.label}, ${value}${gradient}`);
    box.setAttribute("aria-pressed", String(number === chosen));
  });
  const centre = chosen ?? current;
  const way = chosen !== null || pass === "given" ? "" : pass;
  data.edges.forEach((edge, number) => {
    lines[number].classList.toggle("forward", way === "forward" && edge.node === centre);
    const carries = edge.operand === centre && nodes[centre].gradient !== null;
    lines[number].classList.toggle("backward", (way === "backward" || chosen !== null) && carries);
  });
  keepInView(pass === "given" && chosen === null ? 0 : centre);
}

// Scroll the graph, not the page, so that a node is visible with its surroundings.
function keepInView(number) {
  const { x, y, width, height } = nodes[number];
  const room = (at, half, from, seen) => at - half >= from && at + half <= from + seen;
  const across = (x + MARGIN) * scale, down = (y + MARGIN) * scale;
  const isSeen =
    room(across, width * scale, canvas.scrollLeft, canvas.clientWidth) &&
    room(down, height * scale, canvas.scrollTop, canvas.clientHeight);
  if (isSeen) return;
  canvas.scrollTo({
    left: across - canvas.clientWidth / 2,
    top: down - canvas.clientHeight / 2,
    behavior: calm.matches ? "auto" : "smooth",
  });
}

function fitting() {
  const across = canvas.clientWidth / (data.width + 2 * MARGIN);
  const room = document.body.classList.contains("tall") ? canvas.clientHeight : innerHeight / 2;
  return Math.min(across, room / (data.height + 2 * MARGIN));
}

function zoom(wanted) {
  scale = Math.max(SMALLEST, Math.min(LARGEST, wanted));
  picture.setAttribute("width", Math.floor((data.width + 2 * MARGIN) * scale));
  picture.setAttribute("height", Math.floor((data.height + 2 * MARGIN) * scale));
}

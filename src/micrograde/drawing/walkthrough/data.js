// Read the page's data, exactly as the engine had it, and format numbers.

const data = JSON.parse(document.getElementById("data").textContent);
const nodes = data.nodes;
const NAMED = { nan: NaN, inf: Infinity, "-inf": -Infinity }; // what JSON cannot hold

const asNumber = (stored) => (typeof stored === "string" ? NAMED[stored] : stored);

const arrays = data.arrays.map((stored) => ({ ...stored, entries: decoded(stored.data) }));

// For each node the nodes that use it as an operand, and as which operand.
const users = nodes.map(() => []);
nodes.forEach((node, user) => node.operands.forEach((operand, place) => users[operand].push({ user, place })));

// Decode base64 of little-endian float64.
function decoded(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 8 }, (_, at) => view.getFloat64(8 * at, true));
}

const isArray = (value) => value !== null && typeof value === "object";
const arrayOf = (value) => arrays[value.array];

function shown(number, digits = 5) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "-∞";
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    return number.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e");
  }
  return String(Number(number.toPrecision(digits)));
}

const shapeOf = (array) => array.shape.join(" × ");

function isOdd(value) {
  return isArray(value) ? arrayOf(value).odd > 0 : value !== null && !Number.isFinite(asNumber(value));
}

// A value in a few words, for labels and announcements.
function inWords(value) {
  if (!isArray(value)) return shown(asNumber(value));
  const array = arrayOf(value);
  const odd = array.odd ? `, ${array.odd} entries not finite` : "";
  if (array.norm === undefined) return `${shapeOf(array)}${odd}`;
  return `${shapeOf(array)}, mean ${shown(asNumber(array.mean))}, norm ${shown(asNumber(array.norm))}${odd}`;
}

// Create an element with properties and children; text is never parsed as HTML.
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

// A rounded number, with the exact number as the element's value and title.
function numberElement(number, className = "") {
  const odd = Number.isFinite(number) ? "" : "odd";
  const exact = Object.is(number, -0) ? "-0" : String(number);
  return element("data", { value: exact, title: exact, className: `${className} ${odd}`.trim() }, shown(number));
}

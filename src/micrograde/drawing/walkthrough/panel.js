// The text of a step: formula, numbers, and how the gradient is multiplied and summed.

const panel = document.getElementById("panel");
const LETTERS = ["a", "b"];
let selectNode = () => {}; // called by a node's button; the player sets it

const nodeButton = (number) =>
  element("button", { type: "button", className: "node", "aria-label": `Show ${nodes[number].label}`,
    onclick: () => selectNode(number, true) }, nodes[number].label);

const formulaOf = (node) => data.formulas[node.symbol];
const paragraph = (...children) => element("p", {}, ...children);

// A formula in which `numbers` replace the letters that they are given for.
function formula(text, numbers = {}) {
  const parts = text.split(/\{(\w+)\}/);
  return parts.flatMap((part, at) => {
    if (at % 2 === 0) return part === "" ? [] : [part];
    if (numbers[part] === undefined) return [element("var", {}, part)];
    const before = parts[at - 1], after = parts[at + 1];
    const isEnclosed = before.endsWith("(") && after.startsWith(")");
    const bindsMore = /^[²^]/.test(after) || (at > 1 || before !== "");
    const negative = numbers[part] < 0 && bindsMore && !isEnclosed;
    return negative ? ["(", numberElement(numbers[part]), ")"] : [numberElement(numbers[part])];
  });
}

// A value with a caption: the number, or a heat map of the array.
function card(caption, value) {
  const text = typeof caption === "string" ? caption : caption.textContent;
  const content = isArray(value) ? heatMap(arrayOf(value), text) : [numberElement(asNumber(value))];
  return element("figure", { className: isArray(value) ? "card" : "card number-card" }, element("figcaption", {}, caption), ...content);
}

const sign = (text) => element("span", { className: "sign" }, text);
const row = (...children) => element("div", { className: "row" }, ...children); // null is left out
const inBrackets = (number) => (number < 0 ? ["(", numberElement(number), ")"] : [numberElement(number)]);

// The numbers for a formula, if all operands are numbers.
function numbersOf(node) {
  const values = { out: node.value, g: node.gradient };
  node.operands.forEach((operand, place) => { values[LETTERS[place]] = nodes[operand].value; });
  if (Object.values(values).some(isArray)) return {};
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asNumber(value)]));
}

function captionOf(letter, number) {
  return element("span", {}, element("var", {}, letter), " = ", nodeButton(number));
}

// --- forward ---------------------------------------------------------------------------------------

function forwardStep(number) {
  const node = nodes[number], known = formulaOf(node), numbers = numbersOf(node);
  const several = known.equations.includes(",") ? "s" : "";
  const derivation = known.equations ? ` (equation${several} ${known.equations})` : "";
  const words = node.name ? `${node.name}: ${known.words}` : known.words[0].toUpperCase() + known.words.slice(1);
  const parts = [
    paragraph(`${words}${derivation}.`),
    element("p", { className: "formula" }, element("var", {}, "out"), " = ", ...formula(known.forward)),
  ];
  if (numbers.out !== undefined && known.way !== "unknown") {
    parts.push(element("p", { className: "formula" }, ...formula(known.forward, numbers), " = ",
      numberElement(numbers.out, "share")));
  }
  const operands = node.operands.map((operand, place) => card(captionOf(LETTERS[place], operand), nodes[operand].value));
  parts.push(
    element("h3", {}, "From its operands to its value"), scaleKey(node),
    row(...operands, sign("→"), card(element("span", {}, element("var", {}, "out"), ` = ${node.label}`), node.value)),
    element("h3", {}, "Local derivative"), ...localDerivatives(node, known, numbers),
  );
  return parts;
}

function localDerivatives(node, known, numbers) {
  if (!known.derivatives.length) return [paragraph(known.explained)];
  const parts = [paragraph(known.explained)];
  node.operands.forEach((operand, place) => {
    const share = node.shares[place];
    const name = [element("var", {}, "∂out"), " / ", element("var", {}, `∂${LETTERS[place]}`), " = "];
    if (!share) {
      parts.push(element("p", { className: "quiet" }, `${LETTERS[place]} is a constant: nothing is handed to it.`));
      return;
    }
    const line = element("p", { className: "formula" }, ...name, ...formula(known.derivatives[place]));
    if (known.way === "factor" && share.local !== null && !isArray(share.local)) {
      const filled = formula(known.derivatives[place], numbers);
      const isPlain = !known.derivatives[place].includes("{");
      if (numbers.out !== undefined && !isPlain && filled.length > 1) line.append(" = ", ...filled);
      if (!isPlain || known.derivatives[place].includes("n")) line.append(" = ", numberElement(asNumber(share.local)));
    }
    parts.push(line);
    if (isArray(share.local)) parts.push(row(card(localCaption(node, place), share.local)));
  });
  return parts;
}

function localCaption(node, place) {
  const known = formulaOf(node);
  if (known.way === "matrix") {
    const other = 1 - place;
    return element("span", {}, element("var", {}, LETTERS[other]), `ᵀ, ${nodes[node.operands[other]].label} transposed`);
  }
  if (known.way === "softmax") return "probabilities p";
  const derivative = known.derivatives[place];
  return element("span", {}, "local derivative ", ...(derivative.includes("{") ? formula(derivative) : []));
}

// --- backward --------------------------------------------------------------------------------------

function backwardStep(number) {
  return [...whereFrom(number), ...handsOn(number)];
}

// The gradient of a node as the sum of the shares that its users pass to it.
function whereFrom(number) {
  const node = nodes[number];
  const parts = [element("h3", {}, "Where its gradient comes from")];
  if (node.gradient === null) {
    return [...parts, paragraph("It is a constant: no gradient is computed for it.")];
  }
  const terms = users[number].filter(({ user, place }) => nodes[user].shares[place]);
  if (number === nodes.length - 1) {
    parts.push(paragraph("It is the end, where the backward pass begins: its derivative with respect to itself."));
    return [...parts, row(card("gradient", node.gradient))];
  }
  if (isArray(node.gradient)) parts.push(scaleKey(node));
  terms.forEach(({ user, place }) => parts.push(term(user, place)));
  parts.push(...total(node, terms));
  return parts;
}

function term(user, place) {
  const node = nodes[user], known = formulaOf(node), share = node.shares[place];
  const handed = share.whole ?? share.value;
  const isNumbers = ![node.gradient, share.local, handed].some(isArray) && share.local !== null;
  const parts = [
    paragraph("From ", nodeButton(user), ", which is ", element("span", { className: "formula" }, ...formula(known.forward)),
      " with it as ", element("var", {}, LETTERS[place]), ": share = ",
      element("span", { className: "formula" }, ...formula(known.rules[place]))),
  ];
  if (isNumbers) {
    parts.push(element("p", { className: "multiplied" }, "gradient of ", element("code", {}, node.label), " × local derivative = ",
      numberElement(asNumber(node.gradient)), " × ", ...inBrackets(asNumber(share.local)), " = ",
      numberElement(asNumber(handed), "share")));
  } else {
    parts.push(row(...factors(node, known, share, place), sign("="), card("share", handed)));
  }
  if (share.summed) {
    parts.push(paragraph(`The share is ${share.summed}.`), row(card("share, summed", share.value)));
  }
  return element("div", { className: "term" }, ...parts);
}

// The factors left of the equals sign, as cards.
function factors(node, known, share, place) {
  const gradient = card(element("span", {}, element("var", {}, "g"), `, gradient of ${node.label}`), node.gradient);
  if (share.local === null) return [gradient, sign("moved")];
  const local = card(localCaption(node, place), share.local);
  if (known.way === "matrix") return place === 0 ? [gradient, sign("@"), local] : [local, sign("@"), gradient];
  return [gradient, sign(known.way === "softmax" ? "with" : "×"), local];
}

function total(node, terms) {
  const parts = [];
  if (terms.length > 1) {
    const shares = terms.map(({ user, place }) => nodes[user].shares[place].value);
    const line = element("p", { className: "total" }, `Sum of the ${terms.length} shares: `);
    if (!isArray(node.gradient)) {
      shares.forEach((share, at) => line.append(at ? " + " : "", ...inBrackets(asNumber(share))));
      line.append(node.hasRest ? "" : " = ", node.hasRest ? "" : numberElement(asNumber(node.gradient), "share"));
    }
    parts.push(line);
  } else if (terms.length) {
    parts.push(paragraph(node.hasRest ? "It is the only share." : "It is the only share, so it is the gradient."));
  } else {
    parts.push(paragraph("It gets no share."));
  }
  if (node.hasRest) {
    parts.push(paragraph(data.total > nodes.length
      ? "The rest of its gradient comes from nodes that are left out of this page, or from earlier calls of backward()."
      : "The rest of its gradient was there before: in leaves the gradients of several calls of backward() add up."));
  }
  const isShown = terms.length === 1 || !isArray(node.gradient); // as the only share or at the end of the sum
  if (node.hasRest || !terms.length || !isShown) parts.push(row(card("gradient", node.gradient)));
  return parts;
}

// The shares that a node passes to its operands.
function handsOn(number) {
  const node = nodes[number];
  if (node.kind !== "operation") return [];
  const known = formulaOf(node), numbers = numbersOf(node);
  const parts = [element("h3", {}, "What it hands on to its operands"), paragraph(known.explained)];
  node.operands.forEach((operand, place) => {
    const share = node.shares[place];
    const to = ["To ", nodeButton(operand), " (", element("var", {}, LETTERS[place]), "): "];
    if (!share) {
      parts.push(element("div", { className: "handed" }, paragraph(...to, "nothing, it needs no gradient.")));
      return;
    }
    const line = paragraph(...to, element("span", { className: "formula" }, ...formula(known.rules[place])));
    if (!isArray(share.value)) {
      const filled = numbers.out === undefined ? [] : formula(known.rules[place], numbers);
      if (filled.length > 1) line.append(" = ", ...filled);
      line.append(" = ", numberElement(asNumber(share.value), "share"));
    }
    const more = share.summed ? [paragraph(`The share is ${share.summed}.`)] : [];
    if (isArray(share.value)) more.push(row(card(`share of ${nodes[operand].label}`, share.value)));
    parts.push(element("div", { className: "handed" }, line, ...more));
  });
  return parts;
}

// --- the whole panel -------------------------------------------------------------------------------

function givenStep(end) {
  const count = (kind) => nodes.filter((node) => node.kind === kind).length;
  return [
    paragraph(`The graph starts from ${count("parameter")} inputs and parameters and ${count("constant")} constants.`),
    paragraph(`Forward: ${count("operation")} operations, one after the other, lead to `, nodeButton(end), "."),
    paragraph("Backward: from there the gradient goes back to every input and parameter. ",
      "It says how fast the end changes when that number is raised a little."),
    paragraph("Press Play, or the right arrow key for one step. Click a node to see where its gradient comes from."),
  ];
}

function nodeView(number) {
  const node = nodes[number];
  const gradient = node.gradient === null ? null : card("gradient", node.gradient);
  const parts = [element("h3", {}, gradient ? "Value and gradient" : "Value"), row(card("value", node.value), gradient)];
  parts.push(...whereFrom(number));
  if (node.kind === "operation") {
    const known = formulaOf(node);
    parts.push(element("h3", {}, "How it was made"),
      element("p", { className: "formula" }, element("var", {}, "out"), " = ", ...formula(known.forward)));
    parts.push(links("Operands", node.operands));
    parts.push(...handsOn(number));
  }
  return parts;
}

function links(name, numbers) {
  if (!numbers.length) return null;
  return element("ul", { className: "links", "aria-label": name },
    ...[...new Set(numbers)].map((number) => element("li", {}, nodeButton(number))));
}

function scaleKey(node) {
  const values = [node.value, ...node.operands.map((operand) => nodes[operand].value)];
  if (!values.some(isArray)) return null;
  return element("p", { className: "quiet" }, "Heat maps: below 0 ",
    element("span", { className: "scale", role: "img", "aria-label": "blue over the ground's colour to orange" }),
    " above 0, each as far as its own largest entry; point at an entry to read it.");
}

function fillPanel(heading, parts, ...first) {
  const hadFocus = panel.contains(document.activeElement) && document.activeElement !== panel;
  redraws.clear();
  const title = element("h2", { id: "panel-heading", tabIndex: -1 }, heading);
  panel.replaceChildren(title, ...[...first, ...parts].filter(Boolean));
  panel.scrollTop = 0;
  if (hadFocus) title.focus({ preventScroll: true });
}

const STEPS = { given: givenStep, forward: forwardStep, backward: backwardStep };

// Arrays as small heat maps: blue below 0, the page's background at 0, orange above.

const DRAWN = 64; // rows and columns; more would be too small to see
const WIDTH = 300, HEIGHT = 200; // pixels at most, where entries are larger than a pixel

const redraws = new Set(); // functions that redraw the heat maps on the page when the colour scheme changes
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraws.forEach((draw) => draw()));

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => {
    const text = style.getPropertyValue(name).trim();
    return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  };
  return {
    negative: read("--negative"), zero: read("--zero"), positive: read("--positive"),
    nan: read("--pink"), infinite: read("--yellow"),
  };
}

function colourOf(number, largest, palette) {
  if (Number.isNaN(number)) return palette.nan;
  if (!Number.isFinite(number)) return palette.infinite;
  const share = largest ? Math.min(Math.abs(number) / largest, 1) : 0;
  const end = number < 0 ? palette.negative : palette.positive;
  return palette.zero.map((zero, channel) => Math.round(zero + share * (end[channel] - zero)));
}

function paint(canvas, array) {
  const { width, height } = canvas;
  const palette = colours();
  const largest = Math.max(Math.abs(asNumber(array.min ?? 0)), Math.abs(asNumber(array.max ?? 0)));
  const image = new ImageData(width, height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const colour = colourOf(array.entries[row * array.columns + column], largest, palette);
      image.data.set([...colour, 255], 4 * (row * width + column));
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// The index in the array's own shape, whose leading axes were merged into rows.
function indexOf(array, row, column) {
  const index = [column];
  for (const size of array.shape.slice(0, -1).reverse()) {
    index.unshift(row % size);
    row = Math.floor(row / size);
  }
  return `[${index.join(", ")}]`;
}

function summaryOf(array) {
  const parts = [shapeOf(array)];
  for (const name of ["min", "mean", "max", "std", "norm"]) {
    if (array[name] !== undefined) parts.push(`${name} ${shown(asNumber(array[name]), 4)}`);
  }
  if (array.odd) parts.push(`${array.odd} not finite (NaN pink, infinite yellow)`);
  const size = array.shape.reduce((product, each) => product * each, 1);
  if (size > array.entries.length || array.rows > DRAWN || array.columns > DRAWN) {
    parts.push(`drawn: the first ${DRAWN} rows and columns; these numbers are of the whole`);
  }
  return parts.join(", ");
}

// A canvas that shows the value of the entry under the mouse or, if focused, chosen with the arrow keys.
function heatMap(array, caption) {
  const rows = Math.min(array.rows, DRAWN), columns = Math.min(array.columns, DRAWN);
  const summary = element("p", { className: "numbers" }, summaryOf(array));
  if (!rows || !columns) return [summary];
  const cell = Math.max(3, Math.min(18, Math.floor(Math.min(WIDTH / columns, HEIGHT / rows))));
  const canvas = element("canvas", {
    width: columns, height: rows, tabIndex: 0, role: "application", "aria-roledescription": "heat map",
    "aria-label": `${caption}: ${summary.textContent}. Arrow keys go from entry to entry.`,
  });
  canvas.style.width = `${columns * cell}px`;
  canvas.style.height = `${rows * cell}px`;
  const cursor = element("div", { className: "cursor", hidden: true });
  const said = element("output", {});
  const place = { row: 0, column: 0 };

  const show = () => {
    cursor.hidden = false;
    Object.assign(cursor.style, {
      left: `${place.column * cell}px`, top: `${place.row * cell}px`, width: `${cell}px`, height: `${cell}px`,
    });
    const number = array.entries[place.row * array.columns + place.column];
    said.replaceChildren(`${indexOf(array, place.row, place.column)} = `, numberElement(number));
  };
  const move = (rowsDown, columnsRight) => {
    place.row = Math.max(0, Math.min(rows - 1, place.row + rowsDown));
    place.column = Math.max(0, Math.min(columns - 1, place.column + columnsRight));
    show();
  };
  const hide = () => {
    cursor.hidden = true;
    said.replaceChildren();
  };
  canvas.addEventListener("mousemove", (event) => {
    place.row = Math.max(0, Math.min(rows - 1, Math.floor(event.offsetY / cell)));
    place.column = Math.max(0, Math.min(columns - 1, Math.floor(event.offsetX / cell)));
    show();
  });
  canvas.addEventListener("mouseleave", hide);
  canvas.addEventListener("focus", show);
  canvas.addEventListener("blur", hide);
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (!moves[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // elsewhere these keys change the step
    move(...moves[event.key]);
  });
  const draw = () => paint(canvas, array);
  draw();
  redraws.add(draw);
  return [element("div", { className: "heat" }, canvas, cursor), said, summary];
}

/** What the scripts of the page share. Each adds its part. */
const report = { data: JSON.parse(document.getElementById("data").textContent) };

/** An element with properties, `on…` handlers and attributes (names with a dash, `role`), and children: elements or texts. */
report.element = (tag, properties = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children);
  return node;
};

/** A select with a label: `options` are pairs of value and text. */
report.choice = (label, options, onChange) => {
  const { element } = report;
  const select = element("select", { onchange: () => onChange(select.value) });
  select.append(...options.map(([value, text]) => element("option", { value }, text)));
  return { select, label: element("label", {}, label, select) };
};

/** What a legend tells of a series: the value under the cursor, else the last one. */
report.legendValue = (chart, value, series, index) =>
  report.number(index === null ? chart.data[series].findLast((x) => x !== null && x !== undefined) : value);

/** A number in a few digits. */
report.number = (value) => {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e6 ? value.toExponential(2).replace(/\.?0*e\+?/, "e") : String(Number(value.toPrecision(4)));
};

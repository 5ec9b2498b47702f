/** Title and metrics of each chart; a pattern takes every metric that it matches. Charts without a metric are left out. */
report.chartList = [
  ["Reward", ["reward", /^reward\./]],
  ["Held-out accuracy", ["eval.accuracy"]],
  ["Loss", ["loss", "eval.loss"]],
  ["Gradient norm", ["gradNorm"]],
  ["KL (nats)", ["kl", /(^|\.)kl$/]],
  ["Entropy (nats)", ["entropy", "entropyEstimate"]],
  ["Clipped fraction, high and low side", [/clipFractionHigh$/, /clipFractionLow$/, /^clipFraction$/]],
  ["Length (tokens)", ["length", "eval.length"]],
  ["Groups without reward spread (fraction)", ["fracZeroStd"]],
  ["Tokens/s", ["tokensPerSecond"]],
];

/** Exponential moving average without the bias of its start; gaps stay gaps. */
report.smooth = (values, weight) => {
  let [sum, mass] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
};

report.charts = (root) => {
  const { element, choice, number, smooth } = report;
  const { steps, values } = report.data.curves;
  const names = Object.keys(values);
  if (steps.length === 0) {
    root.append(element("p", { className: "quiet" }, "There are no metrics yet."));
    return;
  }
  const matches = (pattern) =>
    typeof pattern === "string" ? names.filter((name) => name === pattern) : names.filter((name) => pattern.test(name));
  const isEmpty = (name) => values[name].every((value) => value === null);
  /** Metrics of a chart, at most four; a single reward component repeats the reward. */
  const seriesOf = (title, patterns) => {
    const found = [...new Set(patterns.flatMap(matches))].filter((name) => !isEmpty(name));
    return (title === "Reward" && found.length === 2 ? found.slice(0, 1) : found).slice(0, 4);
  };
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const plots = [];
  let weight = 0.6;

  const figure = (title, series) => {
    const plot = element("div", { className: "plot", role: "img" });
    const node = element("figure", { className: "chart" }, element("figcaption", {}, title), plot);
    plots.push({ plot, series, title });
    return node;
  };
  const describe = (title, series) =>
    `${title}. ${series
      .map((name) => {
        const present = steps.map((step, i) => [step, values[name][i]]).filter(([, value]) => value !== null);
        const [[from, first], [to, last]] = [present[0], present.at(-1)];
        return `${name}: ${number(first)} at step ${from}, ${number(last)} at step ${to}`;
      })
      .join("; ")}`;

  /** A constant gets a range of its own size; of zero, 0 to 1. */
  const rangeOf = (_, low, high) => {
    if (low !== high || low === null) return uPlot.rangeNum(low ?? 0, high ?? 1, 0.1, true);
    return low === 0 ? [0, 1] : [low - Math.abs(low) / 10, high + Math.abs(high) / 10];
  };

  const draw = (entry) => {
    const { plot, series, title } = entry;
    entry.chart?.destroy();
    plot.setAttribute("aria-label", describe(title, series));
    const [ink, line] = [css("--quiet"), css("--line")];
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "11px system-ui" };
    const isSparse = (name) => values[name].filter((value) => value !== null).length < steps.length / 2;
    const lines = series.flatMap((name, i) => {
      const color = css(`--series-${i + 1}`);
      const raw = {
        label: name,
        stroke: color,
        width: 2,
        spanGaps: true,
        value: report.legendValue,
        points: { show: steps.length === 1 },
      };
      if (isSparse(name)) return [{ values: values[name], options: { ...raw, points: { show: true, size: 6, fill: color } } }];
      if (weight === 0) return [{ values: values[name], options: raw }];
      return [
        { values: values[name], options: { ...raw, alpha: 0.3, width: 1, class: "raw" } },
        { values: smooth(values[name], weight), options: { ...raw } },
      ];
    });
    const options = {
      width: plot.clientWidth,
      height: 200,
      cursor: { sync: { key: "step" }, y: false },
      legend: { live: true },
      scales: { x: { time: false }, y: { range: rangeOf } },
      axes: [
        { ...axis, size: 30 },
        { ...axis, size: 58, values: (_, ticks) => ticks.map(number) },
      ],
      series: [{ label: "step", value: report.legendValue }, ...lines.map((entry) => entry.options)],
    };
    entry.chart = new uPlot(options, [steps, ...lines.map((entry) => entry.values)], plot);
    plot.style.height = "auto";
  };
  const drawAll = () => {
    for (const entry of plots) draw(entry);
  };

  const shown = element("output", {}, String(weight));
  const slider = element("input", { type: "range", min: 0, max: 0.99, step: 0.01, value: weight });
  slider.oninput = () => {
    weight = Number(slider.value);
    shown.textContent = slider.value;
    drawAll();
  };
  const grid = element("div", { className: "charts" });
  const used = new Set();
  for (const [title, patterns] of report.chartList) {
    const series = seriesOf(title, patterns);
    for (const name of patterns.flatMap(matches)) used.add(name);
    if (series.length > 0) grid.append(figure(title, series));
  }
  const others = names.filter((name) => !used.has(name) && !isEmpty(name)).sort();
  const more = choice("Further metric", [["", "add a chart…"], ...others.map((name) => [name, name])], (name) => {
    if (name === "") return;
    const node = figure(name, [name]);
    grid.append(node);
    draw(plots.at(-1));
    more.select.querySelector(`option[value="${CSS.escape(name)}"]`)?.remove();
    more.select.value = "";
  });
  const note = element("span", { className: "quiet" }, "Drag to zoom, double-click to reset.");
  root.append(element("div", { className: "controls" }, element("label", {}, "Smoothing", slider, shown), more.label, note), grid);
  drawAll();

  let width = grid.clientWidth;
  new ResizeObserver(() => {
    if (grid.clientWidth === width) return;
    width = grid.clientWidth;
    for (const { plot, chart } of plots) chart.setSize({ width: plot.clientWidth, height: 200 });
  }).observe(grid);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
};

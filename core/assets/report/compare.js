/** Mean curves of the contenders with bands, one chart a metric. */
report.compare = (root) => {
  const { element, number } = report;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const OWN_COLORS = 4;
  const GOLDEN_ANGLE = 137.5;
  const colorOf = (i) => (i < OWN_COLORS ? css(`--series-${i + 1}`) : `hsl(${(i * GOLDEN_ANGLE) % 360} 60% 50%)`);
  const describe = ({ title, series }) =>
    `${title}. ${series
      .map(({ name, mean }) => {
        const present = mean.filter((value) => value !== null);
        return present.length === 0 ? `${name}: none` : `${name}: from ${number(present[0])} to ${number(present.at(-1))}`;
      })
      .join("; ")}`;
  const entries = report.data.charts.map((chart) => {
    const plot = element("div", { className: "plot", role: "img", "aria-label": describe(chart) });
    return { chart, plot, node: element("figure", { className: "chart" }, element("figcaption", {}, chart.title), plot) };
  });
  const grid = element("div", { className: "charts" }, ...entries.map(({ node }) => node));
  root.append(grid);

  const draw = (entry) => {
    const { chart, plot } = entry;
    entry.drawn?.destroy();
    const [ink, line] = [css("--quiet"), css("--line")];
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "11px system-ui" };
    const values = (_, ticks) => ticks.map(number);
    const edge = { width: 0, points: { show: false }, value: () => "" };
    const series = chart.series.flatMap(({ name }, i) => [
      { label: name, stroke: colorOf(i), width: 2, points: { show: false }, value: report.legendValue },
      { ...edge, label: `${name}, low`, class: "edge" },
      { ...edge, label: `${name}, high`, class: "edge" },
    ]);
    const bands = chart.series.map((_, i) => {
      const color = colorOf(i);
      return { series: [3 * i + 3, 3 * i + 2], fill: `color-mix(in srgb, ${color} 16%, transparent)` };
    });
    const options = {
      width: plot.clientWidth,
      height: 220,
      cursor: { sync: { key: "tokens" }, y: false },
      scales: { x: { time: false } },
      axes: [
        { ...axis, size: 30, values },
        { ...axis, size: 58, values },
      ],
      series: [{ label: "tokens", value: (_, value) => (value === null ? "–" : value.toLocaleString("en")) }, ...series],
      bands,
    };
    const data = [chart.tokens, ...chart.series.flatMap(({ mean, low, high }) => [mean, low, high])];
    entry.drawn = new uPlot(options, data, plot);
    for (const row of plot.querySelectorAll(".edge")) row.style.display = "none";
    plot.style.height = "auto";
  };
  const drawAll = () => {
    for (const entry of entries) draw(entry);
  };
  drawAll();
  let width = grid.clientWidth;
  new ResizeObserver(() => {
    if (grid.clientWidth === width) return;
    width = grid.clientWidth;
    for (const { plot, drawn } of entries) drawn.setSize({ width: plot.clientWidth, height: 220 });
  }).observe(grid);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
};
report.compare(document.getElementById("comparison-view"));

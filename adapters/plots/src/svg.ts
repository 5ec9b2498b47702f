import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import type { CurvePoint, GateCurve } from "./curve.js";

interface Series {
  name: string;
  points: readonly CurvePoint[];
  /** Class of its colour, from 0; broken where it is not solid. */
  colour: number;
  dashed: boolean;
}

interface Panel {
  title: string;
  value: "surrogate" | "slope";
  series: readonly Series[];
}

const PANEL = { width: 340, height: 220, left: 46, right: 14, top: 30, bottom: 36 } as const;
const LINE = 15;
const CHARACTERS = 112;

/** Colours that stay apart for colour-blind readers (Okabe and Ito), on white and on black. */
const LIGHT = ["#0072b2", "#c44e00", "#00805e", "#a64d79", "#806000", "#2b7bba", "#444444", "#8b1a1a"];
const DARK = ["#56b4e9", "#ff9e4a", "#2fc59b", "#e79ac0", "#f0e442", "#9cd3f5", "#bbbbbb", "#ff8080"];
const COLOURS = LIGHT.length;

const STYLE = [
  "text{font:11px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#222}",
  ".t{font-weight:600;font-size:12px}.n{fill:#555;font-size:10px}",
  ".b{fill:#fff}.g{stroke:#e4e4e4}.z{stroke:#999}.c{fill:none;stroke-width:2;stroke-linejoin:round}",
  ...LIGHT.map((colour, i) => `.c${i}{stroke:${colour}}`),
  "@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.n{fill:#aaa}.b{fill:#0d1117}.g{stroke:#2a313a}.z{stroke:#777}",
  ...DARK.map((colour, i) => `.c${i}{stroke:${colour}}`),
  "}",
].join("");

const escapeXml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const short = (value: number): string => String(Number(value.toFixed(2)));

/**
 * Surrogate and derivative against the ratio as an SVG that follows the reader's colour scheme. One gate: both signs of the
 * advantage in each panel; several: a row of panels for each sign. The same curves give the same bytes.
 */
export function gateSvg(curves: readonly GateCurve[]): string {
  const single = curves.length === 1;
  const rows = single
    ? [panelsOf("", bothSigns(curves[0]!))]
    : [panelsOf(", A = +1", ofSign(curves, "positive")), panelsOf(", A = −1", ofSign(curves, "negative"))];
  const legend = rows[0]![0]!.series;
  const notes = wrapped(notesOf(curves));
  const head = 26;
  const width = 2 * PANEL.width;
  const height = head + rows.length * PANEL.height + notes.length * LINE + 8;
  const title = `${curves.map(({ gate }) => gate.label).join(", ")}: surrogate and derivative against the ratio`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(title).replaceAll('"', "&quot;")}">`,
    `<style>${STYLE}</style><rect class="b" width="${width}" height="${height}"/>`,
    legendLine(legend, single ? curves[0]!.gate.label : undefined),
    ...rows.flatMap((panels, row) =>
      panels.map(
        (panel, column) => `<g transform="translate(${column * PANEL.width},${head + row * PANEL.height})">${panelSvg(panel)}</g>`,
      ),
    ),
    ...notes.map(
      (note, i) => `<text class="n" x="12" y="${head + rows.length * PANEL.height + (i + 0.7) * LINE}">${escapeXml(note)}</text>`,
    ),
    "</svg>",
    "",
  ].join("\n");
}

const bothSigns = ({ positive, negative }: GateCurve): Series[] => [
  { name: "A = +1", points: positive, colour: 0, dashed: false },
  { name: "A = −1", points: negative, colour: 1, dashed: true },
];

const ofSign = (curves: readonly GateCurve[], sign: "positive" | "negative"): Series[] =>
  curves.map((curve, i) => ({ name: curve.gate.label, points: curve[sign], colour: i % COLOURS, dashed: i % 2 === 1 }));

/** Close around 1 the surrogate moves so little that only its change is worth seeing. */
const CLOSE = 0.2;

const panelsOf = (suffix: string, series: readonly Series[]): Panel[] => {
  const isClose = series.every(({ points }) => points.at(-1)!.ratio - points[0]!.ratio < CLOSE);
  return [
    {
      title: `surrogate${isClose ? " less its value at 1" : ""}${suffix}`,
      value: "surrogate",
      series: isClose ? series.map(from1) : series,
    },
    { title: `d surrogate / d ratio${suffix}`, value: "slope", series },
  ];
};

function from1({ points, ...rest }: Series): Series {
  const at1 = points.reduce((best, p) => (Math.abs(p.ratio - 1) < Math.abs(best.ratio - 1) ? p : best)).surrogate;
  return { ...rest, points: points.map((p) => ({ ...p, surrogate: p.surrogate - at1 })) };
}

/** What all curves share is said once. */
function notesOf(curves: readonly GateCurve[]): string {
  const all = [...new Set(curves.flatMap(({ notes }) => notes))];
  return all
    .map((note) => {
      const of = curves.filter(({ notes }) => notes.includes(note));
      return of.length === curves.length ? note : `${of.map(({ gate }) => gate.label).join(", ")}: ${note}`;
    })
    .join("; ");
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= CHARACTERS) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function legendLine(series: readonly Series[], title: string | undefined): string {
  let x = 12;
  const parts: string[] = [];
  if (title !== undefined) {
    parts.push(`<text class="t" x="12" y="18">${escapeXml(title)}</text>`);
    x += 28 + title.length * 7;
  }
  for (const { name, colour, dashed } of series) {
    parts.push(`<path class="c c${colour}"${dashes(dashed)} d="M${x},14h22"/><text x="${x + 27}" y="18">${escapeXml(name)}</text>`);
    x += 46 + name.length * 6.5;
  }
  return parts.join("");
}

const dashes = (dashed: boolean): string => (dashed ? ' stroke-dasharray="6 3"' : "");

function panelSvg({ title, value, series }: Panel): string {
  const points = series.flatMap((one) => one.points);
  const [low, high] = [Math.min(...points.map((p) => p.ratio)), Math.max(...points.map((p) => p.ratio))];
  const [bottom, top] = extent(points.filter((p) => p.ratio >= 0.1 || low > 0.1).map((p) => p[value]));
  const x = scaleLinear([low, high], [PANEL.left, PANEL.width - PANEL.right]);
  const y = scaleLinear([bottom, top], [PANEL.height - PANEL.bottom, PANEL.top]).nice(5);
  const [floor, ceiling] = y.domain() as [number, number];
  const ticksX = high - low < 0.05 ? 3 : 5;
  const [formatX, formatY] = [x.tickFormat(ticksX), y.tickFormat(5)];
  const path = line<CurvePoint>(
    (p) => Number(short(x(p.ratio))),
    (p) => Number(short(y(Math.min(ceiling, Math.max(floor, p[value]))))),
  );
  const right = PANEL.width - PANEL.right;
  const base = PANEL.height - PANEL.bottom;
  return [
    `<text class="t" x="${PANEL.left}" y="18">${escapeXml(title)}</text>`,
    ...y.ticks(5).map((tick) => {
      const at = short(y(tick));
      return `<path class="${tick === 0 ? "z" : "g"}" d="M${PANEL.left},${at}H${right}"/><text x="${PANEL.left - 6}" y="${short(y(tick) + 4)}" text-anchor="end">${formatY(tick)}</text>`;
    }),
    ...x.ticks(ticksX).map((tick) => {
      const at = short(x(tick));
      return `<path class="${tick === 1 ? "z" : "g"}" d="M${at},${PANEL.top}V${base}"/><text x="${at}" y="${base + 15}" text-anchor="middle">${formatX(tick)}</text>`;
    }),
    `<text class="n" x="${(PANEL.left + right) / 2}" y="${base + 29}" text-anchor="middle">ratio</text>`,
    ...series.map(({ points: own, colour, dashed }) => `<path class="c c${colour}"${dashes(dashed)} d="${path([...own])}"/>`),
  ].join("");
}

/** Least and largest value; a little room where all are equal. */
function extent(values: readonly number[]): [number, number] {
  const [least, most] = [Math.min(...values, 0), Math.max(...values, 0)];
  return most - least < 1e-12 ? [least - 1, most + 1] : [least, most];
}

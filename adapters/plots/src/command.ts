import { ProximalError, UsageError, writeOut } from "@proximal/core";
import { type GateCurve, gateCurve } from "./curve.js";
import { openGate } from "./gate.js";
import { gateHtml } from "./html.js";
import { gateSvg } from "./svg.js";
import { gateText } from "./terminal.js";

export interface PlotGatesOptions {
  /** `.svg` or `.html`; the terminal when left out. */
  out?: string;
  /** `low..high`; around the gates' bounds when left out. */
  ratio?: string;
}

/** What `proximal plot gate` does. Errors: a name, option or range that does not exist; no gate that can be plotted. */
export async function plotGates(labels: readonly string[], { out, ratio }: PlotGatesOptions): Promise<void> {
  if (out !== undefined && !/\.(svg|html)$/.test(out)) {
    throw new UsageError("a plot is written as SVG or HTML", { given: out, accepted: "a file that ends in .svg or .html" });
  }
  const range = ratio === undefined ? undefined : parseRange(ratio);
  const curves: GateCurve[] = [];
  for (const label of labels) {
    const gate = await openGate(label);
    try {
      curves.push(gateCurve(gate, { range }));
    } catch (error) {
      if (!(error instanceof ProximalError)) throw error;
      throw new UsageError(`the gate "${gate.id}" cannot be plotted against a ratio: ${error.message}`);
    }
  }
  const shared = range === undefined && curves.length > 1 ? curves.map(({ gate }) => gateCurve(gate, { range: widest(curves) })) : curves;
  if (out === undefined) {
    const { columns, isTTY } = process.stdout;
    console.log(gateText(shared, { width: columns || 80, colours: isTTY === true && process.env.NO_COLOR === undefined }));
    for (const { gate, notes } of shared) console.log(`${gate.label}: ${notes.join("; ")}`);
    return;
  }
  writeOut(out, out.endsWith(".svg") ? gateSvg(shared) : gateHtml(shared));
  console.log(out);
}

const widest = (curves: readonly GateCurve[]): readonly [number, number] => [
  Math.min(...curves.map(({ range }) => range[0])),
  Math.max(...curves.map(({ range }) => range[1])),
];

function parseRange(text: string): readonly [number, number] {
  const [low, high, ...rest] = text.split("..").map(Number);
  if (low === undefined || high === undefined || rest.length > 0 || !(low > 0 && high > low && high <= 20)) {
    throw new UsageError("the range of ratios is not understood", {
      given: text,
      accepted: "low..high with 0 < low < high <= 20, e.g. 0.5..1.5",
    });
  }
  return [low, high];
}

import { expect } from "chai";
import { type CurvePoint, type GateCurve, gateCurve, gateHtml, gateSvg, gateText, openGate } from "../src/index.js";

const curveOf = async (label: string, range?: readonly [number, number]): Promise<GateCurve> => gateCurve(await openGate(label), { range });

/** The point whose ratio is nearest. */
const at = (points: readonly CurvePoint[], ratio: number): CurvePoint =>
  points.reduce((best, point) => (Math.abs(point.ratio - ratio) < Math.abs(best.ratio - ratio) ? point : best));

/** Ratios between which the slope jumps by more than a half. */
const jumps = (points: readonly CurvePoint[]): number[] =>
  points.slice(1).flatMap((b, i) => (Math.abs(b.slope - points[i]!.slope) > 0.5 ? [(b.ratio + points[i]!.ratio) / 2] : []));

describe("plots of gates", () => {
  const bounds: [label: string, positive: number[], negative: number[]][] = [
    ["clip", [1.2], [0.8]],
    ["clip:clipHigh=0.28", [1.28], [0.8]],
    ["clip:clipLow=0.1,clipHigh=null", [], [0.9]],
    ["clip:dualClip=2", [1.2], [0.8, 2]],
    ["dapo", [1.28], [0.8]],
    ["gspo", [1.0004], [0.9997]],
    ["t-ppo", [1.28], [0.8]],
  ];
  for (const [label, positive, negative] of bounds) {
    it(`shows that ${label} stops at ${[...positive, ...negative].join(" and ")}`, async () => {
      const curve = await curveOf(label);
      const slack = (curve.range[1] - curve.range[0]) / 1000;
      for (const [points, expected] of [
        [curve.positive, positive],
        [curve.negative, negative],
      ] as const) {
        const found = jumps(points);
        expect(found.length).to.equal(expected.length);
        for (const [i, ratio] of found.entries()) expect(ratio).to.be.closeTo(expected[i]!, slack);
      }
    });
  }

  it("evaluates SAPO's published slope, A·sech²(τ(r - 1)/2), and the surrogate whose slope it is", async () => {
    const { positive, negative, notes } = await curveOf("sapo:tauNeg=1.5");
    for (const [points, sign, tau] of [
      [positive, 1, 1],
      [negative, -1, 1.5],
    ] as const) {
      for (const { ratio, slope, surrogate } of points) {
        expect(slope).to.be.closeTo(sign / Math.cosh((tau * (ratio - 1)) / 2) ** 2, 1e-9);
        expect(surrogate).to.be.closeTo((sign * 4) / tau / (1 + Math.exp(-tau * (ratio - 1))), 1e-9);
      }
    }
    expect(notes.join()).not.to.include("stops gradients");
  });

  it("says where the applied gradient is not the slope of the surrogate", async () => {
    const { positive, notes } = await curveOf("cispo");
    expect(notes.join()).to.include("stops gradients");
    expect(at(positive, 0.5).slope).to.be.closeTo(1, 1e-9);
  });

  const contexts: [label: string, note: string][] = [
    ["clip", "one response of one token"],
    ["etr", "two responses of one token each in a group"],
    ["dcpo", "probability 0.05 under the policy that sampled"],
    ["rlad", "the teacher agrees with the policy that sampled"],
  ];
  for (const [label, note] of contexts) {
    it(`says of ${label}: ${note}`, async () => expect((await curveOf(label)).notes.join("; ")).to.include(note));
  }

  const mistakes: [label: string, ...lines: string[]][] = [
    ["spao", 'no installed gate or algorithm is called "spao"', "sapo"],
    ["clip:clipHihg=0.3", 'unknown key "clipHihg"', 'did you mean "clipHigh"?'],
    ["clip:clipHigh=-1", "clipHigh"],
    ["trpa", 'the algorithm "trpa" has no gate to plot', 'its loss is the objective "trpa"'],
    ["capo", 'reads the column "hidden"'],
  ];
  for (const [label, ...lines] of mistakes) {
    it(`refuses ${label} with the reason`, async () => {
      const error = await curveOf(label).then(
        () => undefined,
        (cause: { describe(): string }) => cause,
      );
      for (const line of lines) expect(error?.describe()).to.include(line);
    });
  }

  it("draws the same bytes again, a path for each curve, and nothing from elsewhere", async () => {
    const curves = [await curveOf("sapo"), await curveOf("clip")];
    const svg = gateSvg(curves);
    expect(svg).to.equal(gateSvg([await curveOf("sapo"), await curveOf("clip")]));
    expect(svg.match(/<path class="c c\d"[^>]* d="M[^"]*L/g)).to.have.length(8);
    expect(svg).not.to.match(/NaN|Infinity|undefined/);
    for (const text of [svg, gateHtml(curves)]) expect(text.replaceAll("http://www.w3.org/2000/svg", "")).not.to.match(/https?:|url\(/);
  });

  it("escapes what a label holds", async () => {
    const curve = await curveOf("clip");
    const svg = gateSvg([{ ...curve, gate: { ...curve.gate, label: '<x>"&' } }]);
    expect(svg).to.include("&lt;x&gt;").and.not.include("<x>");
  });

  it("draws in the terminal with round ticks, and without colours a chart for each curve", async () => {
    const curve = await curveOf("clip");
    const text = gateText([curve], { colours: false });
    expect(text.match(/against the ratio/g)).to.have.length(4);
    expect(text).to.match(/0\.5 +1 +1\.5 +2 +2\.5/);
    expect(text).not.to.include("\u001b[");
    expect(gateText([curve]).match(/against the ratio/g)).to.have.length(2);
  });
});

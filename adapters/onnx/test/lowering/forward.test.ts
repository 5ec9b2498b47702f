import { type Expr, input, Random, tensor } from "@proximal/core";
import { expect } from "chai";
import { lower } from "../../src/index.js";
import { rmsNorm } from "../../src/model/index.js";
import { compare, operatorsOf } from "../support.js";

const random = new Random(4);
const normal = (...shape: number[]) =>
  tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  );

describe("graphs without gradients", () => {
  for (const width of [6, 16]) {
    const x = input("x", ["B", 3, width]);
    const weight = input("w", [width]);
    const feeds = { x: normal(2, 3, width), w: normal(width) };

    it(`an RMS norm over ${width} is one operator, with the reference's values`, async () => {
      const y = rmsNorm(x, weight, 1e-5);
      for (const [dtype, tolerance] of [
        ["float32", 1e-6],
        ["float64", 1e-12], // the operator's ε is a float32
      ] as const) {
        const { error, graph } = await compare({ y }, feeds, { forward: true, dtype });
        expect(operatorsOf(graph).all).to.deep.equal(["SimplifiedLayerNormalization"]);
        expect(error).to.be.below(tolerance);
      }
      expect(operatorsOf(lower({ outputs: { y } })).all).to.not.include("SimplifiedLayerNormalization");
    });

    const inverse = (mean: Expr) => mean.add(1e-5).sqrt().reciprocal();
    const lookalikes: Record<string, Expr> = {
      "a mean over all axes": x.mul(inverse(x.square().mean(undefined, true))).mul(weight),
      "a mean over another axis": x.mul(inverse(x.square().mean(1, true))).mul(weight),
      "a sum instead of the mean": x.mul(inverse(x.square().sum(-1, true))).mul(weight),
      "the norm of another tensor": x.mul(inverse(x.add(1).square().mean(-1, true))).mul(weight),
      "a weight a position": x.mul(inverse(x.square().mean(-1, true))).mul(input("v", [3, 1])),
    };
    for (const [name, y] of Object.entries(lookalikes)) {
      it(`${name} is no RMS norm over ${width}`, async () => {
        const { error, graph } = await compare({ y }, { ...feeds, v: normal(3, 1) }, { forward: true });
        expect(operatorsOf(graph).all).to.not.include("SimplifiedLayerNormalization");
        expect(error).to.be.below(1e-5);
      });
    }
  }
});

import { constant, evaluate, input, Random, tensor } from "@proximal/core";
import { expect } from "chai";
import { blocksOf, invertCdf } from "../../src/generation/sampling.js";
import { lower } from "../../src/index.js";
import { numbers, runGraph } from "../support.js";
import { draw } from "./support.js";

const random = new Random(11);
const LAST = 1 - 2 ** -24;

/** Weights of widely different sizes; most are 0, as after top-k. */
const sparse = (size: number) =>
  Array.from({ length: size }, () => (random.uniform() < 0.8 ? 0 : Math.fround(Math.exp(6 * random.normal()))));

describe("inverse of a cumulative distribution", () => {
  for (const size of [1, 2, 23, 64, 131, 300, 4096]) {
    const rows = 200;
    const weights = Array.from({ length: rows }, () => {
      const row = sparse(size);
      return row.some((w) => w > 0) ? row : row.fill(1);
    });
    const uniform = weights.map((_, i) => (i % 4 === 0 ? 0 : i % 4 === 1 ? LAST : Math.floor(random.uniform() * 2 ** 24) / 2 ** 24));
    const token = invertCdf(input("weights", ["B", size]), input("uniform", ["B"]));
    const feeds = { weights: tensor(weights.flat(), [rows, size]), uniform: tensor(uniform) };

    it(`in float64 it is that of the plain sum over ${size} tokens`, () => {
      const [drawn] = evaluate([token], feeds);
      const agree = weights.filter((row, i) => draw(row, uniform[i]!) === drawn!.data[i]).length;
      expect(agree).to.equal(rows);
    });

    it(`in float32 it never draws one of ${size} tokens that has weight 0, and misses the plain sum's by rounding alone`, async () => {
      const { token: drawn } = await runGraph(lower({ outputs: { token } }), feeds);
      numbers(drawn!).forEach((index, i) => {
        const row = weights[i]!;
        expect(row[index]).to.be.above(0);
        const total = row.reduce((a, b) => a + b, 0);
        const before = row.slice(0, index).reduce((a, b) => a + b, 0);
        expect(uniform[i]! * total).to.be.within(before - 1e-5 * total, before + row[index]! + 1e-5 * total);
      });
    });
  }

  it("splits a vocabulary into blocks that cover it, none much larger than the root", () => {
    for (const size of [1, 2, 23, 64, 300, 4096, 32000, 49152, 128256, 151936]) {
      const { block, blocks } = blocksOf(size);
      expect(block * blocks).to.be.within(size, size + block - 1);
      expect(block).to.be.at.most(8 * Math.ceil(Math.sqrt(size)));
    }
  });

  it("gives token 0 where no weight is a number, so that the row's log-prob tells of it", () => {
    const nan = constant([Number.NaN, Number.NaN, Number.NaN]).reshape([1, 3]).broadcastTo(["B", 3]);
    const [drawn] = evaluate([invertCdf(nan, input("uniform", ["B"]))], { uniform: tensor([0.5, 0]) });
    expect([...drawn!.data]).to.deep.equal([0, 0]);
  });
});

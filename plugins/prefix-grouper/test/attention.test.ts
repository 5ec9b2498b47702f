import { concat, type Expr, evaluate, gradient, input, iota, Random, where } from "@proximal/core";
import { expect } from "chai";
import { type Packing, packedAttention, packedRows, packing, visibleKeys } from "../src/index.js";

const HEADS = 2;
const SIZE = 3;

/** Plain causal attention of one row, [T, H, D]. */
function plainAttention(q: Expr, k: Expr, v: Expr): Expr {
  const length = q.shape[0] as number;
  const [qh, kh, vh] = [q, k, v].map((x) => x.transpose([1, 0, 2])) as [Expr, Expr, Expr];
  const scores = qh.matmul(kh, { transposeB: true }).div(Math.sqrt(SIZE));
  const sees = iota(length).lessEqual(iota(length).expandDims(-1));
  return where(sees, scores, -1e30).softmax(-1).matmul(vh).transpose([1, 0, 2]);
}

/** The group with its prefix repeated for every response; the prefix's own result is that of a row without response. */
function repeatedAttention({ prefixLength: L, suffixLengths }: Packing, q: Expr, k: Expr, v: Expr): Expr {
  let at = L;
  const responses = suffixLengths.map((length) => {
    const row = (x: Expr) => concat([x.slice([0, L]), x.slice([at, at + length])], 0);
    const seen = plainAttention(row(q), row(k), row(v)).slice([L, L + length]);
    at += length;
    return seen;
  });
  const prefix = [q, k, v].map((x) => x.slice([0, L])) as [Expr, Expr, Expr];
  return concat([plainAttention(...prefix), ...responses], 0);
}

const shapeOf = (group: Packing) => [packedRows(group), HEADS, SIZE];
const inputs = (group: Packing) => ["q", "k", "v", "g"].map((name) => input(name, shapeOf(group))) as [Expr, Expr, Expr, Expr];

function feedsOf(group: Packing, seed: number) {
  const random = new Random(seed);
  const shape = shapeOf(group);
  const value = () => ({ shape, data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * random.normal()) });
  return { q: value(), k: value(), v: value(), g: value() };
}

describe("attention over a packed group", () => {
  const groups: [what: string, group: Packing][] = [
    ["responses of several lengths", packing(4, [3, 1, 5])],
    ["one response", packing(3, [4])],
    ["a response without tokens", packing(2, [0, 2, 0])],
    ["a prefix of one token", packing(1, [2, 2])],
    ["a prefix alone", packing(3, [])],
  ];
  for (const [what, group] of groups) {
    it(`gives results and gradients of repeated prefixes: ${what}`, () => {
      const [q, k, v, g] = inputs(group);
      const both = [packedAttention(group, { q, k, v }), repeatedAttention(group, q, k, v)];
      const wanted = both.flatMap((o) => [o, ...gradient(o.mul(g).sum(), [q, k, v])]);
      const values = evaluate(wanted, feedsOf(group, 3));
      for (let i = 0; i < 4; i++) {
        values[i]!.data.forEach((x, at) => {
          expect(x).to.be.closeTo(values[i + 4]!.data[at]!, 1e-13);
        });
      }
    });
  }

  it("lets each row see exactly the rows that are listed for it", () => {
    const group = packing(3, [2, 1, 2]);
    const [q, k, v] = inputs(group);
    const output = packedAttention(group, { q, k, v });
    const feeds = feedsOf(group, 5);
    const seen = Array.from({ length: packedRows(group) }, (_, row) => {
      const [slope] = evaluate(gradient(output.slice([row, row + 1]).sum(), [v]), feeds);
      const rows = Array.from({ length: packedRows(group) }, (_, other) => other);
      return rows.filter((other) => slope!.data.slice(other * HEADS * SIZE, (other + 1) * HEADS * SIZE).some((x) => x !== 0));
    });
    expect(seen).to.deep.equal(visibleKeys(group));
  });
});

import { concat, constant, input, iota, ShapeError, tensor } from "@proximal/core";
import { expect } from "chai";
import { loop, lower } from "../../src/index.js";
import { numbers, operatorsOf, runGraph } from "../support.js";

const x = input("x", [3]);
const feeds = { x: tensor([1, 2, 3]) };

describe("loop", () => {
  it("carries values from step to step and stacks the scans", async () => {
    const { carried, scans } = loop({
      maxIterations: 4,
      carried: { total: x, count: constant(0, [], "int") },
      body: ({ iteration, carried: { total, count } }) => ({
        carried: { total: total.mul(2), count: count.add(iteration) },
        scans: { first: total.slice([0, 1]) },
      }),
    });
    expect(scans.first.shape).to.deep.equal([4, 1]);
    const results = await runGraph(lower({ outputs: { ...carried, ...scans } }), feeds);
    expect(numbers(results.total!)).to.deep.equal([16, 32, 48]);
    expect(numbers(results.count!)).to.deep.equal([6]);
    expect(numbers(results.first!)).to.deep.equal([1, 2, 4, 8]);
  });

  it("stops when `proceed` is false, and the scans have as many steps as were made", async () => {
    const { carried, scans } = loop({
      maxIterations: 100,
      carried: { total: x },
      body: ({ carried: { total } }) => {
        const next = total.add(x);
        return { carried: { total: next }, scans: { sum: next.sum() }, proceed: next.sum().less(20) };
      },
    });
    expect(scans.sum.shape).to.deep.equal(["iterations"]);
    const results = await runGraph(lower({ outputs: { ...carried, ...scans } }), feeds);
    expect(numbers(results.sum!)).to.deep.equal([12, 18, 24]);
    expect(numbers(results.total!)).to.deep.equal([4, 8, 12]);
  });

  it("computes outside what does not change from step to step", () => {
    const w = input("w", [3, 3]);
    const invariant = w.matmul(w, { transposeA: true }).exp();
    const { carried } = loop({
      maxIterations: 5,
      carried: { row: x.reshape([1, 3]) },
      body: ({ carried: { row } }) => ({ carried: { row: row.matmul(invariant).tanh() } }),
    });
    const { outer, bodies } = operatorsOf(lower({ outputs: { row: carried.row } }));
    expect(outer).to.include.members(["FusedMatMul", "Exp", "Loop"]);
    expect(bodies).to.deep.equal([["MatMul", "Tanh", "Identity"]]);
  });

  it("lets a carried value grow, with sizes read inside the step", async () => {
    const { carried } = loop({
      maxIterations: 3,
      carried: { cache: x.reshape([1, 3]) },
      shapes: { cache: ["past", 3] },
      body: ({ carried: { cache } }) => {
        const position = iota("past").cast("float").sum().reshape([1, 1]);
        return { carried: { cache: concat([cache, position.broadcastTo([1, 3])], 0) } };
      },
    });
    expect(carried.cache.shape).to.deep.equal(["past_final", 3]);
    const results = await runGraph(lower({ outputs: { cache: carried.cache, rows: iota("past_final").sum() } }), feeds);
    expect(results.cache!.dims).to.deep.equal([4, 3]);
    expect(numbers(results.cache!)).to.deep.equal([1, 2, 3, 0, 0, 0, 1, 1, 1, 3, 3, 3]);
    expect(numbers(results.rows!)).to.deep.equal([6]);
  });

  it("nests, and the inner loop sees the values of the outer one", async () => {
    const { carried } = loop({
      maxIterations: 2,
      carried: { a: x },
      body: ({ carried: { a } }) => {
        const inner = loop({
          maxIterations: input("n", [], "int"),
          carried: { b: a },
          body: ({ carried: { b } }) => ({ carried: { b: b.add(a) } }),
        });
        return { carried: { a: inner.carried.b } };
      },
    });
    const results = await runGraph(lower({ outputs: carried }), { ...feeds, n: tensor(3, [], "int") });
    expect(numbers(results.a!)).to.deep.equal([16, 32, 48]);
  });

  it("passes a carried value through a step unchanged", async () => {
    const { carried } = loop({
      maxIterations: 2,
      carried: { a: x, b: x.neg() },
      body: ({ carried: { a, b } }) => ({ carried: { a: b, b: a } }),
    });
    const results = await runGraph(lower({ outputs: carried }), feeds);
    expect([numbers(results.a!), numbers(results.b!)]).to.deep.equal([
      [1, 2, 3],
      [-1, -2, -3],
    ]);
  });

  it("refuses a value that changes its shape, with both shapes", () => {
    const grow = () => loop({ maxIterations: 2, carried: { a: x }, body: ({ carried: { a } }) => ({ carried: { a: concat([a, a], 0) } }) });
    expect(grow).to.throw(ShapeError, "a goes into a step as float [3] and comes out as float [6]");
  });
});

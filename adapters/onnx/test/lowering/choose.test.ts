import { constant, input } from "@proximal/core";
import { expect } from "chai";
import { Tensor } from "onnxruntime-node";
import { choose, lower, Session } from "../../src/index.js";
import { numbers, operatorsOf } from "../support.js";

describe("choose", () => {
  const [x, ok] = [input("x", [3]), input("ok", [], "bool")];
  const doubled = x.mul(2);
  const [y, z] = choose(ok, [doubled.add(1), x.neg()], [x, doubled], [x, doubled]);
  const graph = lower({ outputs: { y: y!, z: z! }, abortOutput: true });
  const values = () => new Tensor("float32", Float32Array.of(1, 2, Number.NaN), [3]);
  const condition = (value: number) => new Tensor("bool", Uint8Array.of(value), []);

  for (const [taken, expected] of [
    [1, { y: [3, 5, Number.NaN], z: [-1, -2, Number.NaN] }],
    [0, { y: [1, 2, Number.NaN], z: [2, 4, Number.NaN] }],
  ] as const) {
    it(`takes the ${taken === 1 ? "first" : "second"} branch, in place too`, async () => {
      const session = await Session.create(graph);
      const feeds = { x: values(), ok: condition(taken) };
      const { y: first, z: second } = await session.run(feeds, { y: feeds.x, z: values() });
      expect({ y: numbers(first!), z: numbers(second!) }).to.deep.equal(expected);
      await session.release();
    });
  }

  it("computes what both branches read once, outside, and the rest inside", () => {
    const { outer, bodies } = operatorsOf(graph);
    expect(outer.filter((operator) => operator === "Mul")).to.have.length(1);
    expect(bodies.flat()).to.not.include("Mul");
    expect(bodies.flat()).to.include("Neg");
  });

  it("keeps every bit of what is not chosen", async () => {
    const kept = choose(ok, [x.mul(constant(3))], [x], [x])[0]!;
    const session = await Session.create(lower({ outputs: { kept }, abortOutput: true }));
    const bits = new Float32Array(Uint32Array.of(0x80000000, 0x7fc00001, 1).buffer);
    const tensor = new Tensor("float32", bits, [3]);
    await session.run({ x: tensor, ok: condition(0) }, { kept: tensor });
    expect([...new Uint32Array(bits.buffer)]).to.deep.equal([0x80000000, 0x7fc00001, 1]);
    await session.release();
  });
});

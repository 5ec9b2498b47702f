import { constant, type Expr, evaluate, gradient, input, Random, tensor } from "@proximal/core";
import { expect } from "chai";
import { Tensor } from "onnxruntime-node";
import { lower, Session } from "../../src/index.js";
import { distribution, tokenStatistics } from "../../src/update/head.js";
import { numbers, operatorsOf } from "../support.js";

const [M, V] = [4, 300];
const z = input("z", [M, V]);
const targets = constant(Int32Array.of(0, 7, 299, 7), [M], "int");
const random = new Random(8);
const values = (offset: number) =>
  tensor(
    Array.from({ length: M * V }, () => offset + 3 * random.normal()),
    [M, V],
  );
const { logp, entropy } = tokenStatistics(distribution(z), targets, true) as { logp: Expr; entropy: Expr };
const weighted = (a: Expr, b: Expr) =>
  a
    .mul(constant([1, -2, 0.5, 3]))
    .sum()
    .add(b.mul(constant([0.3, 1, -1, 2])).sum());

describe("token statistics", () => {
  it("are log-softmax and entropy, with their gradients", () => {
    const plain = z.logSoftmax(-1);
    const plainLogp = plain.gatherElements(targets.expandDims(-1), -1).squeeze(-1);
    const plainEntropy = plain.exp().mul(plain).sum(-1).neg();
    const feeds = { z: values(0) };
    const found = evaluate([logp, entropy, ...gradient(weighted(logp, entropy), [z])], feeds);
    const expected = evaluate([plainLogp, plainEntropy, ...gradient(weighted(plainLogp, plainEntropy), [z])], feeds);
    found.forEach(({ data }, i) => {
      data.forEach((x, j) => {
        expect(x).to.be.closeTo(expected[i]!.data[j]!, 1e-13);
      });
    });
  });

  it("keep the digits of large logits in float32", async () => {
    const feeds = values(4000);
    const rounded = { ...feeds, data: Float64Array.from(feeds.data, Math.fround) };
    const session = await Session.create(lower({ outputs: { logp, entropy } }), { threads: 1 });
    const results = await session.run({ z: new Tensor("float32", Float32Array.from(rounded.data), [M, V]) });
    await session.release();
    evaluate([logp, entropy], { z: rounded }).forEach(({ data }, i) => {
      numbers(results[["logp", "entropy"][i]!]!).forEach((x, j) => {
        expect(x).to.be.closeTo(data[j]!, 2e-6);
      });
    });
  });

  it("take one softmax forward, and backward one scatter into the product with it", () => {
    const alone = tokenStatistics(distribution(z), targets, false).logp;
    const { all } = operatorsOf(lower({ outputs: { gradient: gradient(alone.mul(input("weight", [M])).sum(), [z])[0]! } }));
    expect(all.filter((operator) => ["Softmax", "Exp", "Sub", "ScatterElements"].includes(operator))).to.deep.equal([
      "Softmax",
      "ScatterElements",
    ]);
  });
});

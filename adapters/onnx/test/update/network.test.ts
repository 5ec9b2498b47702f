import { constant, type Expr, evaluate, type Feeds, gradient, iota, type ScoreRow, tensor } from "@proximal/core";
import { expect } from "chai";
import { arrangeWeights, logits, parameterInputs, parameterTable, ropeTables, transformer } from "../../src/model/index.js";
import { layoutRows } from "../../src/update/layout.js";
import { buildNetwork, INVERSE_TEMPERATURE } from "../../src/update/network.js";
import { randomParameters, rowsOfBatch, sampleBatch, tinyConfig } from "./support.js";

const config = tinyConfig();
const table = parameterTable(config);
const values = randomParameters(table, 1);

/** Log-probs of one row's response by plain causal attention over the whole sequence. */
function plainLogp(parameters: ReadonlyMap<string, Expr>, { prompt, response }: ScoreRow): Expr {
  const ids = Int32Array.of(...prompt, ...response).slice(0, -1);
  const n = ids.length;
  const [heads, groups, D] = [config.num_attention_heads, config.num_key_value_heads, config.head_dim];
  const weights = arrangeWeights(config, parameters);
  const mask = iota(n).expandDims(-1).less(iota(n)).cast("float").mul(-1e30);
  const hidden = transformer(config, weights, constant(ids, [n], "int"), ropeTables(config, iota(n), n), ({ q, k, v }) => {
    const spread = (x: Expr) =>
      x
        .transpose([1, 0, 2])
        .reshape([groups, 1, n, D])
        .broadcastTo([groups, heads / groups, n, D])
        .reshape([heads, n, D]);
    const scores = q
      .transpose([1, 0, 2])
      .matmul(spread(k), { transposeB: true })
      .mul(1 / Math.sqrt(D));
    return scores.add(mask).softmax(-1).matmul(spread(v)).transpose([1, 0, 2]);
  });
  const predicting = logits(hidden, weights)
    .slice([prompt.length - 1, null])
    .logSoftmax(-1);
  return predicting.gatherElements(constant(response, [response.length, 1], "int"), -1).squeeze(-1);
}

describe("the policy network", () => {
  const rows = rowsOfBatch(sampleBatch(config, [3, 1, 4]));
  const parameters = parameterInputs(table);
  const wrt = [...parameters.values()];

  it("gives the log-probs and gradients of plain causal attention, with and without shared prompts", () => {
    const plain = rows.map((row) => plainLogp(parameters, row));
    const reference = evaluate(
      [
        ...plain,
        ...gradient(
          plain.map((x) => x.sin().sum()).reduce((a, b) => a.add(b)),
          wrt,
        ),
      ],
      values,
    );
    const expected = reference.slice(0, rows.length).flatMap(({ data }) => [...data]);

    for (const sharePrompts of [true, false]) {
      const { grid, feeds, positionOf } = layoutRows([rows], { sharePrompts })[0]!;
      const { tokens } = buildNetwork({ config, parameters, grid, outputs: new Set(["logp"]) });
      const all: Feeds = { ...values, ...feeds, [INVERSE_TEMPERATURE]: tensor(1) };
      const [logp, ...gradients] = evaluate([tokens.logp, ...gradient(tokens.logp.sin().sum(), wrt)], all);
      const inOrder = [...logp!.data.keys()].sort((a, b) => positionOf[a]! - positionOf[b]!).map((i) => logp!.data[i]!);
      expect(Math.max(...inOrder.map((x, i) => Math.abs(x - expected[i]!)))).to.be.below(1e-12);
      gradients.forEach((g, i) => {
        const want = reference[rows.length + i]!.data;
        const peak = Math.max(...want.map(Math.abs));
        expect(Math.max(...g.data.map((x, j) => Math.abs(x - want[j]!))) / peak, table[i]!.name).to.be.below(1e-10);
      });
    }
  });
});

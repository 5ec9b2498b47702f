import { defineConformance, runAdvantage } from "@proximal/core";
import { ThrAdvantage } from "./advantage.js";

type Probabilities = Readonly<Record<string, number>>;

/** A column of `width` candidates a token, filled up with an id that no token has. */
function candidateColumns(tokenProbs: readonly (readonly Probabilities[])[]) {
  const width = Math.max(1, ...tokenProbs.flat().map((probs) => Object.keys(probs).length));
  const padded = (list: readonly number[], filler: number) => [...list, ...new Array<number>(width - list.length).fill(filler)];
  const each = (of: (probs: Probabilities) => number[]) => tokenProbs.map((row) => row.map(of));
  return {
    width,
    candidateTokens: each((probs) => padded(Object.keys(probs).map(Number), -1)),
    candidateProbs: each((probs) => padded(Object.values(probs), 0)),
  };
}

export default defineConformance({
  advantage: async (options, { tokenProbs, ...inputs }) => {
    const { width, ...columns } = candidateColumns(tokenProbs as Probabilities[][]);
    const specs = {
      candidateTokens: { at: "token", dtype: "i32", width },
      candidateProbs: { at: "token", dtype: "f64", width },
    } as const;
    const result = await runAdvantage(ThrAdvantage, options, { ...inputs, ...columns }, { specs });
    return { ...result, tokenWeights: result.scoreWeights };
  },
});

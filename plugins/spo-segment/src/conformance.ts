import { completeOptions, defineConformance, defineExamples, runTerms } from "@proximal/core";
import { type CutOptions, chainAdvantages, cutpoints } from "./chain.js";
import { ChainAdvantage } from "./chain-advantage.js";
import { SegmentGate } from "./gate.js";
import { type AdvantageMode, backedUp, edgeAdvantage } from "./tree.js";
import { TreeAdvantage } from "./tree-advantage.js";

export default defineConformance({
  // A case gives probabilities where a run has log-probs.
  "advantage/chain": (options, inputs) => {
    const o = completeOptions(ChainAdvantage, options) as unknown as CutOptions;
    const [probs, values] = [inputs.oldProbs as number[][], inputs.cutpointValues as number[][]];
    return {
      cutpoints: probs.map((own) => cutpoints(own, o)),
      advantages: probs.map((own, row) => [...chainAdvantages(own, values[row]!, (inputs.rewards as number[])[row]!, o)]),
    };
  },
  "advantage/tree": (options, inputs) => {
    const { advantageMode, dropZero } = completeOptions(TreeAdvantage, options) as { advantageMode: AdvantageMode; dropZero: boolean };
    const parent = inputs.parent as number[];
    const { values, stds } = backedUp(parent, inputs.leafReward as (number | null)[]);
    const isRoot = (node: number) => parent[node]! < 0;
    return {
      nodeValues: [...values],
      advantages: parent.map((up, node) => (isRoot(node) ? 0 : edgeAdvantage(values[node]!, values[up]!, stds[up]!, advantageMode))),
      keep: parent.map((up, node) => !isRoot(node) && (!dropZero || values[node]! - values[up]! !== 0)),
    };
  },
  gate: (options, inputs) => {
    const { loss, gradLogp, perToken } = runTerms({ component: SegmentGate, options }, inputs);
    return { loss, gradLogp, keep: perToken["spo-segment.keep"] };
  },
});

export const examples = defineExamples({
  // A value for every token and the end: as many as the finest cuts need.
  columns: (batch, random) => ({
    cutpointValues: Array.from(batch.lengths, (length) => Array.from({ length: length + 1 }, () => random.uniform())),
  }),
});

import { completeOptions, defineConformance, type Options, type Static } from "@proximal/core";
import { branchStep, ranked } from "./branching.js";
import { LatrSampler, type latrOptions } from "./sampler.js";
import { treeRollouts } from "./schedule.js";
import { compareBranches } from "./similarity.js";

const complete = (options: Options) => completeOptions(LatrSampler, options) as unknown as Static<typeof latrOptions>;

export default defineConformance({
  "sampler/branching": (options, inputs) =>
    branchStep(
      (inputs.nextTokenProbs as number[][]).map(ranked),
      (inputs.finished as (boolean | number)[]).map(Boolean),
      inputs.group as number[],
      inputs.capacity as number,
      complete(options),
    ),
  "sampler/pruning": (options, inputs) => {
    const parents = inputs.parentTokens as number[][];
    const isEnd = (token: number) => token === inputs.eos;
    const pairs = (inputs.childTokens as number[][]).map((child, i) => compareBranches(child, parents[i]!, isEnd, complete(options)));
    return {
      editRatio: pairs.map((pair) => pair.editRatio),
      suffixMatch: pairs.map((pair) => pair.suffixMatch),
      rougeL: pairs.map((pair) => pair.rougeL),
      prune: pairs.map((pair) => pair.prune),
    };
  },
  "sampler/schedule": (options, inputs) => {
    const { mixSchedule, groupSize } = complete(options);
    return { treeRollouts: (inputs.trainingSteps as number[]).map((step) => treeRollouts(step, mixSchedule, groupSize)) };
  },
});

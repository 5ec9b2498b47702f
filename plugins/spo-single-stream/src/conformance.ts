import { completeOptions, defineConformance } from "@proximal/core";
import { batchNormalized, SpoAdvantage } from "./advantage.js";
import { SpoSampler } from "./sampler.js";
import { type Beta, divergence, type Forgetting, forgettingFactor, initialTracker, priority, updated, value } from "./tracker.js";

interface Trackers {
  alpha: number[];
  beta: number[];
}

const list = ({ alpha, beta }: Trackers): Beta[] => alpha.map((a, i) => ({ alpha: a, beta: beta[i]! }));
const columns = (trackers: readonly Beta[]): Trackers => ({ alpha: trackers.map((t) => t.alpha), beta: trackers.map((t) => t.beta) });

export default defineConformance({
  "advantage/tracker": (options, inputs) => {
    const o = completeOptions(SpoAdvantage, options) as unknown as Forgetting & { stdEps: number };
    const before = list(inputs.state as Trackers);
    const after = [...before];
    const group = inputs.group as number[];
    const rewards = inputs.rewards as number[];
    const rho = (inputs.divergence as number[]).map((d) => forgettingFactor(d, o));
    group.forEach((prompt, row) => {
      after[prompt] = updated(before[prompt]!, rewards[row]!, rho[row]!);
    });
    const differences = Float64Array.from(group, (prompt, row) => rewards[row]! - value(before[prompt]!));
    return { advantages: batchNormalized(differences, o.stdEps), rho, state: columns(after) };
  },
  "advantage/divergence": (_, inputs) => ({
    divergence: (inputs.storedLogp as number[][]).map((stored, row) => divergence((inputs.logp as number[][])[row]!, stored)),
  }),
  "sampler/prioritize": (options, inputs) => {
    const { explorationEps } = completeOptions(SpoSampler, options) as { explorationEps: number };
    const promptWeights = list(inputs.state as Trackers).map((tracker) => priority(tracker, explorationEps));
    const total = promptWeights.reduce((a, b) => a + b, 0);
    return { promptWeights, probabilities: promptWeights.map((w) => w / total) };
  },
  "sampler/initial-tracker": (options, inputs) => {
    const { rhoMin } = completeOptions(SpoSampler, options) as { rhoMin: number };
    return { state: columns((inputs.successes as number[]).map((s) => initialTracker(s, inputs.trials as number, rhoMin))) };
  },
});

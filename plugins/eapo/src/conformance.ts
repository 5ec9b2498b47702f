import { completeOptions, defineConformance, runAdvantage } from "@proximal/core";
import { downSampled, EapoAdvantage } from "./advantage.js";
import { EPISODE_COLUMNS } from "./episode.js";

const { name: _, ...rounds } = EPISODE_COLUMNS.rounds;

export default defineConformance({
  // A case gives one row an episode; a run has one row a round.
  advantage: async (options, inputs) => {
    const counts = inputs.rounds as number[];
    const each = (values: unknown) => counts.flatMap((count, i) => new Array<number>(count).fill((values as number[])[i]!));
    const rows = {
      rewards: each(inputs.rewards),
      group: each(inputs.group ?? counts.map(() => 0)),
      rounds: each(counts),
      turn: counts.flatMap((count) => Array.from({ length: count }, (_, t) => t)),
    };
    const { roundRewards, advantages } = await runAdvantage(EapoAdvantage, options, rows, { specs: { rounds } });
    const nested = (flat: unknown) => {
      let at = 0;
      return counts.map((count) => {
        at += count;
        return (flat as number[]).slice(at - count, at);
      });
    };
    return { roundRewards: nested(roundRewards), advantages: nested(advantages) };
  },
  sampler: (options, { sampleCount }) => {
    const { workers } = completeOptions(EapoAdvantage, options) as { workers: number };
    const keptCount = downSampled(Number(sampleCount), workers);
    return { keptCount, droppedCount: Number(sampleCount) - keptCount };
  },
});

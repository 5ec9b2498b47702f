import { completeOptions, defineConformance, runTerms } from "@proximal/core";
import { EditGate } from "./gate.js";
import { type EtconWeights, grade } from "./grade.js";
import { EtconReward } from "./reward.js";

export default defineConformance({
  gate: (options, inputs) => runTerms({ component: EditGate, options }, inputs),
  reward: (options, inputs) => {
    const o = completeOptions(EtconReward, options) as unknown as EtconWeights;
    const { completions, golds } = inputs as unknown as { completions: string[]; golds: string[][] };
    const { oldKnowledge, similarity } = inputs as { oldKnowledge?: (string | null)[]; similarity?: (number | null)[] };
    const grades = completions.map((text, row) => grade(text, golds[row]!, oldKnowledge?.[row] ?? null, similarity?.[row] ?? null, o));
    return {
      rewards: grades.map((g) => g.reward),
      formatScore: grades.map((g) => g.formatScore),
      correctness: grades.map((g) => g.correctness),
      cleanliness: grades.map((g) => g.cleanliness),
      consistency: grades.map((g) => g.consistency),
    };
  },
});

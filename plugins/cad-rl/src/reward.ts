import {
  type Batch,
  ConfigError,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
} from "@proximal/core";

const cadRewardOptions = Type.Object({
  geomWeight: Type.Number({ default: 1, minimum: 0, description: "Weight of the volume IoU" }),
  evalWeight: Type.Number({ default: 1, minimum: 0, description: "Weight of the external score" }),
  evalMin: Type.Number({ default: 0, description: "Lowest external score" }),
  evalMax: Type.Number({ default: 10, description: "Highest external score" }),
  failurePenalty: Type.Number({ default: 0.5, minimum: 0, maximum: 1, description: "Deduction for each class of failure" }),
});

export type CadRewardOptions = Static<typeof cadRewardOptions>;

const clamp = (x: number): number => Math.min(1, Math.max(0, x));

/** What is known of a program: it runs (0 or 1), volume IoU, score on its raw scale, number of failure classes. */
export interface CadFacts {
  executes: number;
  iou: number;
  evalScore: number;
  failures: number;
}

/** R = R_exec·(w_g·IoU + w_e·R_eval), R_eval = clamp(clamp(scaled score) - penalty·failures). CAD-RL (2508.10118), eqs. 3–6. */
export function cadReward({ executes, iou, evalScore, failures }: CadFacts, o: CadRewardOptions): number {
  const scaled = clamp((evalScore - o.evalMin) / (o.evalMax - o.evalMin));
  return executes * (o.geomWeight * iou + o.evalWeight * clamp(scaled - o.failurePenalty * failures));
}

/** Names of the inner rewards that carry the facts; the optional ones count 0 when they are missing. */
const REQUIRED = ["executes", "iou"] as const;

@rewardModel({
  id: "cad-rl",
  description: "Geometry and external score of a program that runs; inner rewards named executes, iou, evalScore, failures",
  options: cadRewardOptions,
  reads: [],
  wraps: true,
})
export class CadReward implements RewardModel {
  constructor(@options() private readonly o: CadRewardOptions) {
    if (!(o.evalMax > o.evalMin))
      throw new ConfigError('reward "cad-rl": evalMax must lie above evalMin', { given: [o.evalMin, o.evalMax] });
  }

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const { components } = inner!;
    const missing = REQUIRED.find((name) => components[name] === undefined);
    if (missing !== undefined) {
      throw new ConfigError(`reward "cad-rl" has no inner reward named "${missing}"`, {
        given: Object.keys(components),
        accepted: [...REQUIRED, "evalScore", "failures"],
        hint: `name it: inner: [{ use: …, name: ${missing} }]`,
      });
    }
    const of = (name: keyof CadFacts, row: number) => components[name]?.[row] ?? 0;
    const rows = Array.from({ length: batch.rows }, (_, row) => row);
    return {
      rewards: rows.map((row) =>
        cadReward(
          { executes: of("executes", row), iou: of("iou", row), evalScore: of("evalScore", row), failures: of("failures", row) },
          this.o,
        ),
      ),
      components: { executes: components.executes!, iou: components.iou! },
    };
  }
}

import {
  Batch,
  type DataState,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type Prompt,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  type Static,
  sampler,
  type Trajectory,
  Type,
  withPrompts,
} from "@proximal/core";
import { type Hint, hintsOf } from "./hints.js";
import { isStagnant, repairGroup } from "./repair.js";

export const scafOptions = Type.Object({
  ...groupSamplerOptions.properties,
  warmupSteps: Type.Integer({ default: 50, minimum: 0, description: "Steps without guidance" }),
  tiers: Type.Array(Type.String(), { default: ["knowledge", "planning", "solution"], description: "Order of the hint tiers" }),
  piecesPerTier: Type.Integer({ default: 4, minimum: 1, description: "Pieces of a tier, shown cumulatively" }),
  replaceCount: Type.Integer({ default: 1, minimum: 1, description: "Rows of a failed group that are replaced" }),
  replaceHintPrompt: Type.Boolean({ default: false, description: "Train the hinted response on the plain prompt (off-policy)" }),
  hintTemplate: Type.String({ default: "{hint}\n{prompt}", description: "How a hint and the prompt's text are joined" }),
});

interface Attempt {
  /** Group that failed. */
  group: number;
  hint: Hint;
  prompt: Prompt;
}

/** Rescues groups in which every rollout failed by the success with the smallest hint. Scaf-GRPO (2510.19807). */
@sampler({
  id: "scaf-grpo",
  description: "Independent groups; a group without any success gets one success that was sampled with the smallest sufficient hint",
  options: scafOptions,
  reads: ["rewards"],
  writes: ["hinted"],
})
export class ScafSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof scafOptions>) {
    super();
  }

  protected override async select(scored: ScoredGroups, context: SampleContext<DataState>): Promise<SampleResult<DataState>> {
    const { batch, groups, state } = scored;
    const rewards = batch.groupRows.map((rows) => Float64Array.from(rows, (row) => batch.f64("rewards")[row]!));
    const attempts = groups.flatMap((group, g) =>
      isStagnant(rewards[g]!, context.step, this.settings.warmupSteps) ? this.attempts(group.prompt, g, context) : [],
    );
    const failed = new Set(attempts.map((attempt) => attempt.group)).size;
    const plain = batch.with({ hinted: new Uint8Array(batch.rows) });
    if (attempts.length === 0) return { groups, batch: plain, state, metrics: { rescued: 0, hintable: failed, hintLevel: Number.NaN } };

    const trajectories = await context.generate(
      attempts.map(({ prompt, group, hint }) => ({ prompt, key: `hint/${group}/${hint.level}` })),
    );
    const hinted = await context.score(attempts.map(({ prompt }, i) => ({ prompt, trajectories: [trajectories[i]!] })));
    return this.replace(scored, plain, attempts, trajectories, hinted, context, failed);
  }

  private attempts(base: Prompt, group: number, { prompts, policy }: SampleContext<DataState>): Attempt[] {
    return hintsOf(base, this.settings.tiers, this.settings.piecesPerTier)
      .map((hint) => ({
        group,
        hint,
        prompt: prompts.derive(
          base,
          this.settings.hintTemplate.replace("{hint}", () => hint.text).replace("{prompt}", () => base.text),
        ),
      }))
      .filter(({ prompt }) => prompt.tokens.length < policy.info.contextLength);
  }

  private async replace(
    { groups, batch, state }: ScoredGroups,
    plain: Batch,
    attempts: readonly Attempt[],
    trajectories: readonly Trajectory[],
    hinted: Batch,
    context: SampleContext<DataState>,
    failed: number,
  ): Promise<SampleResult<DataState>> {
    const both = Batch.concat(
      [plain, hinted.with({ hinted: new Uint8Array(hinted.rows).fill(1) })],
      [plain.group, attempts.map((a) => a.group)],
    );
    const hintedRewards = hinted.f64("rewards");
    const order = Array.from({ length: batch.rows }, (_, row) => row);
    const levels: number[] = [];
    const repaired = groups.map((group, g): Group => {
      const mine = attempts.flatMap((attempt, i) => (attempt.group === g ? [i] : []));
      const rewards = Array.from(batch.groupRows[g]!, (row) => batch.f64("rewards")[row]!);
      const { replaced, hintLevel, chosen } = repairGroup(
        rewards,
        mine.map((i) => ({ level: attempts[i]!.hint.level, reward: hintedRewards[i]! })),
        context.step,
        this.settings,
      );
      if (chosen === null) return group;
      levels.push(hintLevel!);
      for (const i of replaced) order[batch.groupRows[g]![i]!] = batch.rows + mine[chosen]!;
      return {
        prompt: group.prompt,
        trajectories: group.trajectories.map((t, i) => (replaced.includes(i) ? trajectories[mine[chosen]!]! : t)),
      };
    });
    const result = both.select(order);
    return {
      groups: repaired,
      batch: this.settings.replaceHintPrompt ? await onPlainPrompts(result, repaired, context) : result,
      state,
      metrics: {
        rescued: levels.length,
        hintable: failed,
        hintLevel: levels.length > 0 ? levels.reduce((a, b) => a + b, 0) / levels.length : Number.NaN,
      },
    };
  }
}

/** Puts the plain prompt in front of every hinted response; its log-probs become those under the plain prompt. */
function onPlainPrompts(batch: Batch, groups: readonly Group[], { policy }: SampleContext<DataState>): Promise<Batch> {
  const hinted = batch.f64("hinted");
  const prompts = Array.from(batch.group, (group, row) => (hinted[row] === 1 ? groups[group]!.prompt : null));
  return withPrompts(batch, prompts, policy);
}

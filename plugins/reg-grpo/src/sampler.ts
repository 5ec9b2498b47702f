import {
  type Batch,
  type DataState,
  type Group,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  StatefulGroupSampler,
  type Static,
  sampler,
  statistics,
  Type,
} from "@proximal/core";
import { type Augmentation, augmentationOf } from "./augmentation.js";
import { maskedText, pathPrefix } from "./perturb.js";

export const regSamplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  window: Type.Integer({ default: 50, minimum: 1, description: "Batches whose rewards a prompt is compared with" }),
  deadZone: Type.Number({ default: 0.05, minimum: 0, description: "Difference of mean rewards up to which a prompt is left alone" }),
  slope: Type.Number({ default: 1, minimum: 0, description: "Strength of the augmentation for each unit of difference, at most 1 in all" }),
  correctThreshold: Type.Number({ default: 0.5, description: "A response with a larger reward is a path that may be shown" }),
  pathField: Type.String({
    default: "solution",
    description: "Field with a worked solution, shown in part while the policy has not solved the prompt itself",
  }),
  contextField: Type.String({
    default: "context",
    description: "Field whose text, where the prompt contains it, may be masked in part to make an easy prompt harder",
  }),
  maskText: Type.String({ default: "_", description: "Stands for a masked word" }),
});

export interface RegState extends DataState {
  /** Rewards of the last batches, the oldest first. */
  buffer: readonly (readonly number[])[];
  /** By prompt id: mean reward of its last visit. */
  meanReward: Readonly<Record<string, number>>;
  /** By prompt id: tokens of its last successful response. */
  paths: Readonly<Record<string, Int32Array>>;
}

/**
 * Independent groups on prompts whose difficulty is evened out: a hard prompt's responses begin with a part of a successful
 * path, an easy prompt's context loses words. Reg-GRPO (2506.07464); the extent is a reading.
 */
@sampler({
  id: "reg-grpo",
  description: "Makes hard prompts easier by showing part of a successful path, and easy ones harder by masking their context",
  options: regSamplerOptions,
  reads: ["rewards"],
  writes: ["hinted"],
  provides: ["group-of-equal-prompts"],
})
export class DifficultySampler extends StatefulGroupSampler<RegState> {
  constructor(@options() protected readonly settings: Static<typeof regSamplerOptions>) {
    super();
  }

  initialState(): RegState {
    return { version: 1, drawn: 0, buffer: [], meanReward: {}, paths: {} };
  }

  protected override plan(context: SampleContext<RegState>): { groups: PlannedGroup[]; state: RegState } {
    const { groups, state } = super.plan(context);
    return { groups: groups.map((group, g) => this.augment(group, g, context)), state };
  }

  private augment(group: PlannedGroup, g: number, context: SampleContext<RegState>): PlannedGroup {
    const augmentation = this.augmentation(group.prompt, context.state);
    if (augmentation.mode === "easier") {
      const prefix = pathPrefix(this.path(group.prompt, context), augmentation.strength, context.maxTokens);
      return prefix.length === 0 ? group : { ...group, prefix, columns: { hinted: true } };
    }
    return augmentation.mode === "harder" ? { ...group, prompt: this.mask(group.prompt, augmentation.strength, g, context) } : group;
  }

  /** A prompt that was not seen yet is left alone. */
  private augmentation({ id }: Prompt, { buffer, meanReward }: RegState): Augmentation {
    const known = meanReward[id];
    return known === undefined ? { difficulty: 0, mode: "none", strength: 0 } : augmentationOf(buffer, known, this.settings);
  }

  private path({ id, fields }: Prompt, { state, policy }: SampleContext<RegState>): Int32Array {
    const given = fields[this.settings.pathField];
    return state.paths[id] ?? (typeof given === "string" ? policy.tokenizer.encode(given, { special: false }) : new Int32Array());
  }

  private mask(prompt: Prompt, strength: number, g: number, { prompts, random }: SampleContext<RegState>): Prompt {
    const context = prompt.fields[this.settings.contextField];
    if (typeof context !== "string" || context === "" || !prompt.text.includes(context)) return prompt;
    const masked = maskedText(context, strength, this.settings.maskText, random.fork("mask", g));
    return prompts.derive(
      prompt,
      prompt.text.replace(context, () => masked),
    );
  }

  protected override async select(
    { groups, batch, state }: ScoredGroups<RegState>,
    context: SampleContext<RegState>,
  ): Promise<SampleResult<RegState>> {
    const hinted = batch.has("hinted") ? batch.f64("hinted") : new Float64Array(batch.rows);
    return {
      groups,
      batch: batch.with({ hinted }),
      state: this.remember(groups, batch, state),
      metrics: this.metrics(groups, hinted, batch, context),
    };
  }

  private metrics(groups: readonly Group[], hinted: Float64Array, batch: Batch, { state }: SampleContext<RegState>) {
    const modes = groups.map(({ prompt }) => this.augmentation(prompt, state).mode);
    const share = (holds: (g: number) => boolean) => groups.filter((_, g) => holds(g)).length / Math.max(1, groups.length);
    return {
      easierFraction: share((g) => modes[g] === "easier"),
      harderFraction: share((g) => modes[g] === "harder"),
      hintedFraction: share((g) => hinted[batch.groupRows[g]?.[0] ?? -1] === 1),
      bufferReward: statistics.mean(state.buffer.slice(-this.settings.window).flat()),
    };
  }

  private remember(groups: readonly Group[], batch: Batch, state: RegState): RegState {
    const rewards = batch.f64("rewards");
    const meanReward: Record<string, number> = { ...state.meanReward };
    const paths: Record<string, Int32Array> = { ...state.paths };
    groups.forEach(({ prompt }, g) => {
      const rows = [...batch.groupRows[g]!].filter((row) => Number.isFinite(rewards[row]));
      if (rows.length === 0) return;
      meanReward[prompt.id] = statistics.mean(statistics.take(rewards, rows));
      const best = rows.reduce((a, b) => (rewards[b]! > rewards[a]! ? b : a));
      if (rewards[best]! > this.settings.correctThreshold) paths[prompt.id] = batch.trajectories[best]!.tokens;
    });
    const buffer = [...state.buffer, [...rewards].filter(Number.isFinite)].slice(-this.settings.window);
    return { ...state, buffer, meanReward, paths };
  }
}

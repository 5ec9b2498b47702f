import {
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type Static,
  sampler,
  Type,
} from "@proximal/core";
import { ADAPTIVE, modeOptions, rolloutPlan, tagOf } from "./modes.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;

export const modeSamplerOptions = Type.Object({
  promptsPerStep,
  shuffle,
  forcedPerMode: Type.Integer({ default: 3, minimum: 1, description: "ρ: responses of each mode whose tag is given" }),
  adaptive: Type.Integer({ default: 3, minimum: 0, description: "γ: responses that choose their mode" }),
  ...modeOptions,
});

/** ρ responses of each mode behind its injected tag (not trained on) and γ that choose: G = ρ·modes + γ. A²FM (2510.12838). */
@sampler({
  id: "apo-a2fm",
  description: "Each prompt answered in every mode and, adaptively, in the mode that the policy chooses",
  options: modeSamplerOptions,
  writes: [
    { name: "forcedMode", at: "row", dtype: "string" },
    { name: "forced", at: "row", dtype: "bool" },
  ],
  provides: ["group-of-equal-prompts"],
})
export class ModeSampler extends GroupSampler {
  protected readonly settings: Static<typeof modeSamplerOptions> & { groupSize: number };
  private readonly modes: readonly string[];

  constructor(@options() o: Static<typeof modeSamplerOptions>) {
    super();
    this.modes = rolloutPlan(o.modes, o.forcedPerMode, o.adaptive);
    this.settings = { ...o, groupSize: this.modes.length };
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const requests = planned.flatMap(({ prompt }, g) =>
      this.modes.map((mode, i): GenerateRequest => {
        const key = `${g}/${i}`;
        if (mode === ADAPTIVE) return { prompt, key, columns: { forcedMode: "", forced: false } };
        const prefix = context.policy.tokenizer.encode(tagOf(mode, this.settings.tags));
        return { prompt, key, prefix, columns: { forcedMode: mode, forced: true } };
      }),
    );
    const trajectories = await context.generate(requests);
    return planned.map(({ prompt }, g) => ({
      prompt,
      trajectories: trajectories.slice(g * this.modes.length, (g + 1) * this.modes.length),
    }));
  }
}

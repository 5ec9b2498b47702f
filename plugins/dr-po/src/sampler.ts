import {
  type ColumnSpec,
  DataError,
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  rescored,
  type SampleContext,
  type Static,
  sampler,
  type Trajectory,
  Type,
} from "@proximal/core";
import { rollinLength } from "./rollin.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;

export const drpoSamplerOptions = Type.Object({
  promptsPerStep,
  shuffle,
  groupSize: Type.Integer({ default: 1, minimum: 1, description: "Responses a prompt" }),
  resetProbability: Type.Number({
    default: 1,
    minimum: 0,
    maximum: 1,
    description: "Share of responses that start from the reference; 0 = PPO",
  }),
  referenceField: Type.String({
    default: "reference",
    description: "Field of the records that holds the preferred response; a record without it gives its first accepted answer",
  }),
});

/** 1 = token of the reference that the response was started with. */
export const ROLLIN = { at: "token", dtype: "bool" } as const satisfies ColumnSpec;

/**
 * Starts responses from a random prefix of the reference response. The prefix counts for rewards, values and advantages; the
 * column `rollin` marks it for the gate. DR-PO (2404.08495).
 */
@sampler({
  id: "dr-po",
  description: "Responses that continue a random prefix of the record's reference response",
  options: drpoSamplerOptions,
  writes: [{ name: "rollin", ...ROLLIN }],
  provides: ["group-of-equal-prompts"],
})
export class DrPoSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof drpoSamplerOptions>) {
    super();
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const requests = planned.flatMap(({ prompt, count }, g) =>
      Array.from({ length: count }, (_, i) => this.request(prompt, g, i, context)),
    );
    const sampled = (await context.generate(requests)).map((trajectory, i) => marked(trajectory, requests[i]!.prefix!.length));
    const started = [...sampled.keys()].filter((i) => requests[i]!.prefix!.length > 0);
    const scored =
      started.length === 0
        ? []
        : await rescored(
            started.map((i) => sampled[i]!),
            context.policy,
          );
    started.forEach((i, k) => {
      sampled[i] = scored[k]!;
    });
    let at = 0;
    return planned.map(({ prompt, count }) => {
      at += count;
      return { prompt, trajectories: sampled.slice(at - count, at) };
    });
  }

  private request(prompt: Prompt, g: number, i: number, { random, policy, maxTokens }: SampleContext<DataState>) {
    const draws = random.fork("roll-in", g, i);
    const reference = policy.tokenizer.encode(this.reference(prompt), { special: false }).slice(0, maxTokens);
    const length = rollinLength(reference.length, draws.uniform(), draws.uniform(), this.settings.resetProbability);
    return { prompt, prefix: reference.slice(0, length), maxTokens: maxTokens - length, key: `${g}/${i}` } satisfies GenerateRequest;
  }

  private reference({ id, fields, golds }: Prompt): string {
    const given = fields[this.settings.referenceField] ?? golds[0] ?? "";
    if (typeof given === "string") return given;
    throw new DataError(`record ${id}: the field "${this.settings.referenceField}" is no text`, {
      given,
      accepted: "the preferred response",
    });
  }
}

/** All tokens take part; the first `length` are marked as the reference's. */
function marked(trajectory: Trajectory, length: number): Trajectory {
  const rollin = Array.from(trajectory.tokens, (_, t) => Number(t < length));
  return { ...trajectory, mask: new Uint8Array(trajectory.tokens.length).fill(1), columns: { ...trajectory.columns, rollin } };
}

import {
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type SampleResult,
  type Static,
  sampler,
  statistics,
  type Trajectory,
  Type,
} from "@proximal/core";
import { exitPositions, thoughtLength } from "./serial.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;

export const serialSamplerOptions = Type.Object({
  promptsPerStep,
  shuffle,
  exits: Type.Integer({ default: 8, minimum: 1, description: "m: truncated versions of each full response" }),
  exitPrompt: Type.String({
    default: "Time is limited, stop thinking and start answering.\n</think>\n\n",
    description: "Text put behind a truncated thought; not trained on",
  }),
  endOfThought: Type.String({
    default: "</think>",
    minLength: 1,
    description: "Ends the thought; the whole response is thought without it",
  }),
  includeFull: Type.Boolean({ default: true, description: "The full response belongs to the group" }),
  answerMaxTokens: Type.Integer({ default: 256, minimum: 1, description: "Longest answer behind an exit, tokens" }),
});

interface Exit {
  group: number;
  /** Tokens of the full response that are kept. */
  position: number;
  request: GenerateRequest;
}

/** One full response a prompt, then answers from m random places of its thought: a serial group. S-GRPO (2505.07686). */
@sampler({
  id: "s-grpo",
  description: "A full response and answers that leave its thought at random places, ordered by exit",
  options: serialSamplerOptions,
  writes: [{ name: "exitPosition", at: "row", dtype: "i32" }],
  provides: ["group-of-equal-prompts"],
})
export class SerialSampler extends GroupSampler {
  protected readonly settings: Static<typeof serialSamplerOptions> & { groupSize: number };

  constructor(@options() o: Static<typeof serialSamplerOptions>) {
    super();
    this.settings = { ...o, groupSize: o.exits + (o.includeFull ? 1 : 0) };
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const beginnings = planned.map(({ prompt }, g) => ({ prompt, key: `full/${g}` }));
    const full = await context.generate(beginnings, { continued: true });
    const lengths = full.map(({ tokens }) => thoughtLength(context.policy.tokenizer, tokens, this.settings.endOfThought));
    const exits = full.flatMap((trajectory, g) => this.exitsOf(trajectory, g, lengths[g]!, context));
    const requests = exits.map(({ request }) => request);
    const answered = await context.generate(requests, { continued: "last" });
    return planned.map(({ prompt }, g): Group => {
      const serial = exits.flatMap((exit, i) => (exit.group === g ? [trainThought(answered[i]!, full[g]!, exit.position)] : []));
      const whole = { ...full[g]!, columns: { ...full[g]!.columns, exitPosition: lengths[g]! } };
      return { prompt, trajectories: this.settings.includeFull || serial.length === 0 ? [...serial, whole] : serial };
    });
  }

  /** Continuations from places of the thought that leave room for an answer in the context. */
  private exitsOf({ prompt, tokens }: Trajectory, group: number, length: number, { policy, random }: SampleContext<DataState>): Exit[] {
    const inserted = policy.tokenizer.encode(this.settings.exitPrompt);
    return exitPositions(length, this.settings.exits, random.fork("exits", group)).flatMap((position) => {
      const prefix = Int32Array.from([...tokens.subarray(0, position), ...inserted]);
      const room = policy.info.contextLength - prompt.tokens.length - prefix.length;
      if (room < 1) return [];
      const maxTokens = Math.min(this.settings.answerMaxTokens, room);
      return [
        { group, position, request: { prompt, prefix, maxTokens, key: `exit/${group}/${position}`, columns: { exitPosition: position } } },
      ];
    });
  }

  protected override async select(
    scored: Parameters<GroupSampler["select"]>[0],
    context: SampleContext<DataState>,
  ): Promise<SampleResult<DataState>> {
    const result = await super.select(scored, context);
    const exits = result.batch.groupRows.map((rows) => [...rows].map((row) => result.batch.i32("exitPosition")[row]!));
    return {
      ...result,
      metrics: { exitPosition: statistics.mean(exits.flat()), thoughtLength: statistics.mean(exits.map((e) => Math.max(...e))) },
    };
  }
}

/** The thought in front of an exit was sampled by the policy: it is trained on, the exit prompt is not. */
function trainThought(trajectory: Trajectory, full: Trajectory, position: number): Trajectory {
  const mask = Uint8Array.from(trajectory.mask);
  const logp = Float64Array.from(trajectory.logp);
  mask.set(full.mask.subarray(0, position));
  logp.set(full.logp.subarray(0, position));
  return { ...trajectory, mask, logp };
}

import {
  type DataState,
  type GenerateRequest,
  type Group,
  groupSamplerOptions,
  options,
  type Prompt,
  type SampleContext,
  type SampleResult,
  StatefulGroupSampler,
  type Static,
  sampler,
  type Trajectory,
  Type,
} from "@proximal/core";
import { WINDOW_COLUMNS } from "./window.js";

export const windowSamplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  windowLength: Type.Integer({ default: 8192, minimum: 1, description: "New tokens of a response a step" }),
  maxLength: Type.Integer({
    default: 24576,
    minimum: 1,
    description: "Longest response over all windows, tokens; at most the run's own limit",
  }),
});

/** A response that goes on in the next step. */
interface Waiting {
  /** Index of its prompt in the data. */
  prompt: number;
  /** Responses that were started together for one prompt share it. */
  draw: number;
  member: number;
  tokens: Int32Array;
  /** Of each token, under the policy that sampled it, nats. */
  logp: Float64Array;
}

export interface WindowState extends DataState {
  waiting: readonly Waiting[];
}

/**
 * Generates at most `windowLength` tokens of each response a step. Finished responses make room for new prompts, the others go on with
 * the updated policy. T-PPO (2506.15050).
 */
@sampler({
  id: "t-ppo",
  description: "A window of tokens a step; unfinished responses go on in the next step, finished ones make room for new prompts",
  options: windowSamplerOptions,
  reads: ["rewards"],
  writes: [WINDOW_COLUMNS.finished, WINDOW_COLUMNS.windowStart],
})
export class WindowSampler extends StatefulGroupSampler<WindowState> {
  constructor(@options() protected readonly settings: Static<typeof windowSamplerOptions>) {
    super();
  }

  initialState(): WindowState {
    return { version: 1, drawn: 0, waiting: [] };
  }

  override async collect(context: SampleContext<WindowState>): Promise<SampleResult<WindowState>> {
    const { windowLength, maxLength } = this.settings;
    const limit = Math.min(maxLength, context.maxTokens);
    const { started, state } = this.start(context);
    const active = [...context.state.waiting, ...started];
    const promptOf = ({ prompt }: Waiting): Prompt => context.prompts.get(prompt);
    const written = await context.generate(
      active.map((response): GenerateRequest => {
        const { draw, member, tokens } = response;
        const maxTokens = Math.min(windowLength, limit - tokens.length);
        return { prompt: promptOf(response), prefix: tokens, maxTokens, key: `${draw}/${member}` };
      }),
    );
    const trajectories = written.map((trajectory, i) => joined(active[i]!, trajectory, limit));
    const waiting = active.flatMap((response, i): Waiting[] => {
      const { tokens, logp, columns } = trajectories[i]!;
      return columns.finished ? [] : [{ ...response, tokens, logp }];
    });
    const groups = grouped(active, trajectories, promptOf);
    const batch = await context.score(groups);
    // Nothing is known yet of the reward of an unfinished response.
    const finished = batch.f64("finished");
    const rewards = batch.f64("rewards").map((reward, row) => (finished[row] ? reward : 0));
    const generated = trajectories.reduce((sum, { tokens, columns }) => sum + tokens.length - columns.windowStart, 0);
    return {
      groups,
      batch: batch.with({ rewards }),
      state: { ...state, waiting },
      metrics: {
        waiting: waiting.length,
        slotUtilisation: generated / (this.settings.promptsPerStep * this.settings.groupSize * Math.min(windowLength, limit)),
      },
    };
  }

  /** New responses for the room that the waiting ones leave. */
  private start(context: SampleContext<WindowState>): { started: Waiting[]; state: WindowState } {
    const { groupSize, promptsPerStep } = this.settings;
    const { waiting, drawn } = context.state;
    const free = Math.floor((promptsPerStep * groupSize - waiting.length) / groupSize);
    const { indices, state } = this.draw(free, context);
    const started = indices.flatMap((prompt, i) =>
      Array.from(
        { length: groupSize },
        (_, member): Waiting => ({ prompt, draw: drawn + i, member, tokens: new Int32Array(), logp: new Float64Array() }),
      ),
    );
    return { started, state };
  }
}

type Windowed = Trajectory & { columns: { finished: boolean; windowStart: number } };

/** The response so far with each token's own sampling log-prob; all its tokens are the policy's. */
function joined({ tokens, logp }: Waiting, written: Trajectory, limit: number): Windowed {
  const finished = written.finish === "stop" || written.tokens.length >= limit;
  return {
    ...written,
    mask: new Uint8Array(written.tokens.length).fill(1),
    logp: Float64Array.of(...logp, ...written.logp.subarray(logp.length)),
    columns: { ...written.columns, finished, windowStart: tokens.length },
  };
}

/** Responses that were started together form a group. */
function grouped(active: readonly Waiting[], trajectories: readonly Trajectory[], promptOf: (response: Waiting) => Prompt): Group[] {
  const draws = [...new Set(active.map(({ draw }) => draw))];
  return draws.map((draw) => {
    const members = active.flatMap((response, i) => (response.draw === draw ? [i] : []));
    return { prompt: promptOf(active[members[0]!]!), trajectories: members.map((i) => trajectories[i]!) };
  });
}

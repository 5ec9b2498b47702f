import {
  type DataState,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  type Static,
  sampler,
  type Trajectory,
  Type,
} from "@proximal/core";
import { EPISODE_COLUMNS, handedOn, roundPrompt } from "./episode.js";

export const eapoSamplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  maxRounds: Type.Integer({ default: 32, minimum: 1, description: "Rounds after which an episode is stopped and counts as failed" }),
  reportStart: Type.String({ default: "<report>", minLength: 1, description: "Text before the report that a round hands on" }),
  reportEnd: Type.String({ default: "</report>", minLength: 1, description: "Text behind it; a round without a report ends the episode" }),
  roundTemplate: Type.String({
    default: "{question}\n\nReport so far:\n{report}\n\nLast action:\n{action}\n",
    description: "Prompt of the rounds after the first",
  }),
});

interface Episode {
  question: Prompt;
  rounds: Trajectory[];
  finished: boolean;
  /** Of the coming round; null when the episode is over. */
  next: Prompt | null;
}

/**
 * Episodes of rounds with a reconstructed state: each round sees the question, the report and the last action of the round before and
 * nothing else. Every round is a row of its question's group. EAPO (2511.07327).
 */
@sampler({
  id: "eapo",
  description: "Episodes of rounds that each see only the question and the report of the round before; one row a round",
  options: eapoSamplerOptions,
  reads: ["rewards"],
  writes: ["turn", EPISODE_COLUMNS.rounds, EPISODE_COLUMNS.finished, { name: "episode", at: "row", dtype: "i32" }],
  provides: ["multi-turn"],
})
export class RoundSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof eapoSamplerOptions>) {
    super();
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const groups = planned.map(({ prompt, count }) =>
      Array.from({ length: count }, (): Episode => ({ question: prompt, rounds: [], finished: false, next: prompt })),
    );
    for (let round = 0; round < this.settings.maxRounds; round++) {
      const open = groups.flatMap((episodes, g) =>
        episodes.flatMap((episode, i) => (episode.next === null ? [] : [{ episode, prompt: episode.next, key: `${g}/${i}/${round}` }])),
      );
      if (open.length === 0) break;
      const written = await context.generate(open.map(({ prompt, key }) => ({ prompt, key })));
      open.forEach(({ episode }, i) => {
        this.advance(episode, written[i]!, context);
      });
    }
    return groups.map((episodes, g) => ({ prompt: planned[g]!.prompt, trajectories: episodes.flatMap(rowsOf) }));
  }

  private advance(episode: Episode, written: Trajectory, { prompts, policy, maxTokens }: SampleContext<DataState>): void {
    episode.rounds.push(written);
    const handed = handedOn(written.text, this.settings);
    episode.next = null;
    if (handed === null) {
      episode.finished = true;
      return;
    }
    const next = prompts.derive(episode.question, roundPrompt(episode.question.text, handed, this.settings));
    // A report that leaves no room for a response stops the episode.
    if (next.tokens.length + maxTokens <= policy.info.contextLength) episode.next = next;
  }

  /** Every round carries the reward of its episode's last one. */
  protected override async select(scored: ScoredGroups, _context: SampleContext<DataState>): Promise<SampleResult<DataState>> {
    const { batch } = scored;
    const [turn, rounds, rewards] = [batch.i32("turn"), batch.i32("rounds"), batch.f64("rewards")];
    const terminal = rewards.map((_, row) => rewards[row + rounds[row]! - 1 - turn[row]!]!);
    const episodes = turn.filter((t) => t === 0).length;
    const stopped = batch.f64("finished").filter((f, row) => f === 0 && turn[row] === 0).length;
    return { ...scored, batch: batch.with({ rewards: terminal }), metrics: { episodes, stoppedEpisodes: stopped } };
  }
}

const rowsOf = ({ rounds, finished }: Episode, episode: number): Trajectory[] =>
  rounds.map((round, turn) => ({ ...round, columns: { ...round.columns, turn, rounds: rounds.length, finished, episode } }));

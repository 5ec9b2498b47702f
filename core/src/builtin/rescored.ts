import type { PolicyBackend } from "../policy/index.js";
import type { Batch, Prompt, Trajectory } from "../rollout/index.js";

type Scorer = Pick<PolicyBackend, "score">;

/**
 * The trajectories with the log-probs that the current policy gives their own tokens (mask 1) behind the prompt that each
 * carries, at its temperature, nats. For samplers that put another prompt in front, or build responses out of pieces.
 */
export async function rescored(trajectories: readonly Trajectory[], policy: Scorer): Promise<Trajectory[]> {
  const result = [...trajectories];
  for (const temperature of new Set(trajectories.map((trajectory) => trajectory.temperature))) {
    const rows = [...trajectories.keys()].filter((row) => trajectories[row]!.temperature === temperature);
    const pairs = rows.map((row) => ({ prompt: trajectories[row]!.prompt.tokens, response: trajectories[row]!.tokens }));
    const { logp } = await policy.score(pairs, { outputs: ["logp"], temperature });
    let at = 0;
    for (const row of rows) {
      const { tokens, mask } = trajectories[row]!;
      const own = logp!.slice(at, at + tokens.length).map((value, t) => (mask[t] ? value : 0));
      result[row] = { ...trajectories[row]!, logp: own };
      at += tokens.length;
    }
  }
  return result;
}

/** The batch with `prompts[row]` in front of each row that has one (null: as it was), and `oldLogp` behind them. */
export async function withPrompts(batch: Batch, prompts: readonly (Prompt | null)[], policy: Scorer): Promise<Batch> {
  const rows = [...prompts.keys()].filter((row) => prompts[row] !== null);
  if (rows.length === 0) return batch;
  const changed = await rescored(
    rows.map((row) => ({ ...batch.trajectories[row]!, prompt: prompts[row]! })),
    policy,
  );
  const trajectories = [...batch.trajectories];
  rows.forEach((row, i) => {
    trajectories[row] = changed[i]!;
  });
  return batch.withTrajectories(trajectories).with({ oldLogp: trajectories.map((t) => [...t.logp]) });
}

import type { PolicyBackend } from "../policy/index.js";
import type { Trajectory } from "../rollout/index.js";

/**
 * The trajectories with the log-probs that the current policy gives their own tokens (mask 1) behind the prompt that each
 * carries, at its temperature, nats. For samplers that put another prompt in front, or build responses out of pieces.
 */
export async function rescored(trajectories: readonly Trajectory[], policy: Pick<PolicyBackend, "score">): Promise<Trajectory[]> {
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

import { type Batch, ConfigError, type Services } from "@proximal/core";

/** Token embeddings under the names of the usual checkpoints. */
const EMBEDDING = /embed_tokens|word_embeddings|\bwte\b|embedding/;

/**
 * Names whose gradient counts: those that contain one of `wanted`, or by default the token embedding, the first that matches;
 * all when the policy trains no embedding.
 */
export function chosenParameters(names: readonly string[], wanted: readonly string[]): readonly string[] {
  if (wanted.length === 0) {
    const embedding = names.find((name) => EMBEDDING.test(name));
    return embedding === undefined ? names : [embedding];
  }
  const found = names.filter((name) => wanted.some((part) => name.includes(part)));
  if (found.length === 0)
    throw new ConfigError("no parameter has a name of gradParams", { path: "gradParams", given: wanted, accepted: names });
  return found;
}

export interface Probed {
  /** [P] share of accepted probes. */
  successRate: number[];
  /** [P] mean over accepted probes of ‖∇ Σ_t log π(y_t)‖₂; 0 without any. */
  gradNorm: number[];
}

/** Acceptance rate and mean gradient norm of each group of probes; accepted = reward above 0. GVM-RAFT (2505.02391). */
export async function probeStatistics(
  batch: Batch,
  gradParams: readonly string[],
  services: Pick<Services, "likelihoodGradient">,
): Promise<Probed> {
  const rewards = batch.f64("rewards");
  const result: Probed = { successRate: [], gradNorm: [] };
  let names: readonly string[] | undefined;
  for (const rows of batch.groupRows) {
    const accepted = [...rows].filter((row) => rewards[row]! > 0);
    let total = 0;
    for (const row of accepted) {
      const gradient = await services.likelihoodGradient(batch.select([row]), names);
      const counted = names ?? chosenParameters(Object.keys(gradient), gradParams);
      if (counted.length < Object.keys(gradient).length) names = counted;
      total += Math.sqrt(counted.reduce((sum, name) => sum + squares(gradient[name]!), 0));
    }
    result.successRate.push(accepted.length / rows.length);
    result.gradNorm.push(accepted.length > 0 ? total / accepted.length : 0);
  }
  return result;
}

const squares = (values: Float32Array): number => values.reduce((sum, x) => sum + x * x, 0);

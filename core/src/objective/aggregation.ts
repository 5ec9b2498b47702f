import { ConfigError } from "../errors.js";
import type { Aggregation, AggregationName } from "../extension/points.js";

export interface AggregationFacts {
  /** Length of a fixed-length mean that names none, tokens. */
  maxTokens?: number;
  /** Column of the tokens or rows that are left out. */
  without?: string;
}

/** Feed name of an aggregation's weights: `kind`, `kind/fixedLength`, followed by `!column` of what is left out. */
export function aggregationKey(aggregation: Aggregation, { maxTokens, without }: AggregationFacts = {}): string {
  const { kind, fixedLength = maxTokens } = typeof aggregation === "string" ? { kind: aggregation } : aggregation;
  const length = kind === "seq-mean-token-sum-norm" && fixedLength !== undefined ? `/${fixedLength}` : "";
  return `${kind}${length}${without === undefined ? "" : `!${without}`}`;
}

export const aggregationName = (key: string): AggregationName => key.split(/[/!]/)[0] as AggregationName;

/**
 * Weight of every token so that the aggregated loss is Σ weight·value: [tokens], flat (for `row-mean` [rows]).
 * `mask` is flat over tokens; `offsets` are row offsets; `group` is the group of each row. Denominators depend on the mask
 * alone and are taken over the whole update, so that a split into micro-batches changes nothing.
 */
export function aggregationWeights(
  key: string,
  mask: ArrayLike<number>,
  offsets: ArrayLike<number>,
  group: ArrayLike<number>,
): Float64Array {
  const rows = group.length;
  const name = aggregationName(key);
  if (name === "row-mean") return new Float64Array(rows).fill(rows > 0 ? 1 / rows : 0);
  const counts = new Float64Array(rows);
  for (let row = 0; row < rows; row++) for (let t = offsets[row]!; t < offsets[row + 1]!; t++) counts[row]! += mask[t] ? 1 : 0;
  const tokens = counts.reduce((a, b) => a + b, 0);
  const filled = counts.reduce((n, count) => n + (count > 0 ? 1 : 0), 0);
  const tokensOfGroup = new Map<number, number>();
  for (let row = 0; row < rows; row++) tokensOfGroup.set(group[row]!, (tokensOfGroup.get(group[row]!) ?? 0) + counts[row]!);
  const groups = tokensOfGroup.size;
  const filledGroups = [...tokensOfGroup.values()].filter((count) => count > 0).length;
  const weightOf = (row: number): number => {
    const count = counts[row]!;
    switch (name) {
      case "token-mean":
        return 1 / tokens;
      case "token-sum":
        return 1;
      case "seq-mean-token-mean":
        return 1 / (count * filled);
      case "seq-mean-token-sum":
        return 1 / filled;
      case "seq-mean-token-sum-norm": {
        const fixedLength = Number(key.split("/")[1]);
        if (!(fixedLength > 0)) throw new ConfigError(`aggregation "${name}" needs a positive fixedLength`);
        return 1 / (filled * fixedLength);
      }
      case "prompt-mean":
        return 1 / (tokensOfGroup.get(group[row]!)! * filledGroups);
      case "otm":
        return 1 / (count * groups);
      default:
        throw new ConfigError(`"${key}" gives no weight to tokens`);
    }
  };
  const weights = new Float64Array(mask.length);
  for (let row = 0; row < rows; row++) {
    if (counts[row] === 0) continue;
    const weight = weightOf(row);
    for (let t = offsets[row]!; t < offsets[row + 1]!; t++) if (mask[t]) weights[t] = weight;
  }
  return weights;
}

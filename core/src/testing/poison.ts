import type { Batch, ColumnSpecs } from "../rollout/index.js";

/** The batch with the given tokens masked, and the same with NaN in every number of theirs. */
export function poisonedAt(batch: Batch, tokens: readonly number[], specs: ColumnSpecs = {}): { masked: Batch; poisoned: Batch } {
  const inside = tokens.filter((token) => token < batch.tokens);
  const mask = Uint8Array.from({ length: batch.tokens }, (_, i) => (inside.includes(i) ? 0 : 1));
  const masked = batch.with({ mask });
  const poison: Record<string, Float64Array> = {};
  for (const name of batch.names) {
    const column = batch.column(name);
    if (column.at !== "token" || column.dtype !== "f64") continue;
    const width = Number(column.width ?? 1);
    const values = Float64Array.from(column.values as Float64Array);
    for (const token of inside) values.fill(Number.NaN, token * width, (token + 1) * width);
    poison[name] = values;
  }
  return { masked, poisoned: masked.with(poison, specs) };
}

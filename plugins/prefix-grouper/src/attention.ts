import { constant, type Expr, type PromptGrid, type PromptSlots, sharedPromptAttention } from "@proximal/core";
import { type Packing, packedRows, suffixStarts } from "./packing.js";

/**
 * Attention over one packed row, [n, heads, D]: the engine's own shared-prompt attention on a grid with one prompt.
 *   O_P = Attn(Q_P, K_P, V_P), causal;  O_g = Attn(Q_g, [K_P; K_g], [V_P; V_g]), causal in its own part
 * q, k, v [n, heads, D] with positions applied. Prefix Grouper (2506.05433).
 */
export function packedAttention(group: Packing, heads: { q: Expr; k: Expr; v: Expr }): Expr {
  const rows = packedRows(group);
  const [count, headSize] = [heads.q.shape[1] as number, heads.q.shape[2] as number];
  const { grid, slots } = gridOf(group);
  // Empty slots of the grid read a spare row behind the packed ones, which nobody reads.
  const [q, k, v] = [heads.q, heads.k, heads.v].map((x) => x.pad([0, 0, 0], [1, 0, 0])) as [Expr, Expr, Expr];
  return sharedPromptAttention({ heads: count, keyHeads: count, headSize }, grid, slots)({ q, k, v }).slice([0, rows]);
}

function gridOf(group: Packing): { grid: PromptGrid; slots: PromptSlots } {
  const { prefixLength, suffixLengths } = group;
  const rowsPerPrompt = Math.max(1, suffixLengths.length);
  const responseSlots = Math.max(1, ...suffixLengths);
  const starts = suffixStarts(group);
  const spare = packedRows(group);
  const rowOfSlot = new Int32Array(rowsPerPrompt * responseSlots).fill(spare);
  const slotOfRow = new Int32Array(spare - prefixLength + 1);
  suffixLengths.forEach((length, g) => {
    for (let t = 0; t < length; t++) {
      rowOfSlot[g * responseSlots + t] = starts[g]! + t;
      slotOfRow[starts[g]! + t - prefixLength] = g * responseSlots + t;
    }
  });
  const prefix = Int32Array.from({ length: prefixLength }, (_, i) => i);
  const ints = (data: Int32Array, shape: number[]) => constant(data, shape, "int");
  return {
    grid: { prompts: 1, rowsPerPrompt, promptSlots: prefixLength, responseSlots },
    slots: {
      promptSlots: ints(prefix, [1, prefixLength]),
      responseSlots: ints(rowOfSlot, [1, rowsPerPrompt, responseSlots]),
      promptLengths: ints(Int32Array.of(prefixLength), [1]),
      slotOfPromptToken: ints(prefix, [prefixLength]),
      slotOfResponseToken: ints(slotOfRow, [slotOfRow.length]),
    },
  };
}

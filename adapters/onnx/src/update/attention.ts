import { sharedPromptAttention } from "@proximal/core";
import { type Attend, softmax, type TransformerConfig } from "../model/index.js";
import type { Grid, RowInputs } from "./grid.js";

/** Attention of a micro-batch, whose rows share their prompts' keys and values. */
export const trainingAttention = (config: TransformerConfig, grid: Grid, rows: RowInputs): Attend =>
  sharedPromptAttention(
    { heads: config.num_attention_heads, keyHeads: config.num_key_value_heads, headSize: config.head_dim },
    grid,
    rows,
    softmax,
  );

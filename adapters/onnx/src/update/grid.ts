import { type Expr, input } from "@proximal/core";

/**
 * Static sizes of a micro-batch. Tokens lie flat, without padding, in everything but attention; attention sees them in a
 * grid of `prompts` × `promptSlots` and `prompts` × `rowsPerPrompt` × `responseSlots`, of which some slots are empty.
 */
export interface Grid {
  prompts: number;
  rowsPerPrompt: number;
  promptSlots: number;
  responseSlots: number;
}

/** Symbols of the flat sizes. */
export const PROMPT_TOKENS = "promptTokens";
export const RESPONSE_TOKENS = "responseTokens";

/** Rows of the objective. */
export const rowsOf = (grid: Grid): number => grid.prompts * grid.rowsPerPrompt;

/** Attention scores that a head computes. */
const scoresOf = ({ prompts, rowsPerPrompt, promptSlots, responseSlots }: Grid): number =>
  prompts * (promptSlots ** 2 + rowsPerPrompt * responseSlots * (promptSlots + responseSlots));

/** Growth of the scores that is accepted to keep a grid: another grid is another session, whose start costs several steps. */
const SLACK = 1.5;

/**
 * The grids of earlier batches. A batch that fits an earlier grid without much waste takes it again. What is computed
 * depends on the grid in the last bits, so the memory is part of a checkpoint.
 */
export class GridMemory {
  /** By kind. */
  constructor(public grids: Readonly<Record<string, Grid>> = {}) {}

  /** The grid for a batch that needs `tight`, of the given kind. */
  choose(kind: string, tight: Grid): Grid {
    const before = this.grids[kind] ?? tight;
    const larger = Object.fromEntries(
      Object.entries(tight).map(([name, size]) => [name, Math.max(size, before[name as keyof Grid])]),
    ) as unknown as Grid;
    const grid = scoresOf(larger) <= SLACK * scoresOf(tight) ? larger : tight;
    this.grids = { ...this.grids, [kind]: grid };
    return grid;
  }
}

export const gridKey = ({ prompts, rowsPerPrompt, promptSlots, responseSlots }: Grid): string =>
  [prompts, rowsPerPrompt, promptSlots, responseSlots].join("x");

/**
 * What is fed about the rows, all int. Flat tokens are all prompts' tokens but their last, then each row's last prompt
 * token and its response but the last token: one input token for each response token. N = promptTokens + responseTokens.
 */
export interface RowInputs {
  /** [promptTokens] ids */
  promptTokens: Expr;
  /** [responseTokens] ids of the tokens before each response token */
  previousTokens: Expr;
  /** [responseTokens] ids of the response tokens */
  targets: Expr;
  /** [promptTokens] and [responseTokens]: place in the row, from 0 */
  promptPositions: Expr;
  responsePositions: Expr;
  /** [prompts, promptSlots] flat token of each slot; empty slots name a token that influences nothing */
  promptSlots: Expr;
  /** [prompts, rowsPerPrompt, responseSlots] */
  responseSlots: Expr;
  /** [prompts] filled prompt slots */
  promptLengths: Expr;
  /** [promptTokens] and [responseTokens]: slot of each token, counted over the whole grid of its kind */
  slotOfPromptToken: Expr;
  slotOfResponseToken: Expr;
  /** [rows, responseSlots] response token (from 0) at each position of the objective; 0 where there is none */
  tokenAt: Expr;
  /** [responseTokens] position of each in the objective's [rows · responseSlots] */
  positionOf: Expr;
}

export function rowShapes(grid: Grid): Record<keyof RowInputs, (number | string)[]> {
  const { prompts, rowsPerPrompt, promptSlots, responseSlots } = grid;
  return {
    promptTokens: [PROMPT_TOKENS],
    previousTokens: [RESPONSE_TOKENS],
    targets: [RESPONSE_TOKENS],
    promptPositions: [PROMPT_TOKENS],
    responsePositions: [RESPONSE_TOKENS],
    promptSlots: [prompts, promptSlots],
    responseSlots: [prompts, rowsPerPrompt, responseSlots],
    promptLengths: [prompts],
    slotOfPromptToken: [PROMPT_TOKENS],
    slotOfResponseToken: [RESPONSE_TOKENS],
    tokenAt: [rowsOf(grid), responseSlots],
    positionOf: [RESPONSE_TOKENS],
  };
}

export const rowFeedName = (name: string): string => `rows:${name}`;

export function rowInputs(grid: Grid): RowInputs {
  const shapes = Object.entries(rowShapes(grid));
  return Object.fromEntries(shapes.map(([name, shape]) => [name, input(rowFeedName(name), shape, "int")])) as unknown as RowInputs;
}

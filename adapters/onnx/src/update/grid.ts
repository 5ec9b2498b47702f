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

import type { ColumnSpec } from "./column.js";

const at = (at: ColumnSpec["at"], dtype: ColumnSpec["dtype"], width?: ColumnSpec["width"]): ColumnSpec => ({
  at,
  dtype,
  ...(width === undefined ? {} : { width }),
});

/**
 * Columns with a fixed meaning. A component names them in `reads` and `writes` without repeating their type;
 * any other name is declared with its `ColumnSpec`.
 */
export const STANDARD_COLUMNS = {
  /** Token ids of the response, observations included. */
  tokens: at("token", "i32"),
  /** 1 = sampled by the policy and trained on. */
  mask: at("token", "bool"),
  /** Log-probability under the current policy, nats: the variable of every loss. */
  logp: at("token", "f64"),
  /** Log-probability under the policy that sampled (constant), nats. */
  oldLogp: at("token", "f64"),
  /** Log-probability under the frozen reference policy (constant), nats. */
  refLogp: at("token", "f64"),
  /** Log-probability under a teacher policy (constant), nats. */
  teacherLogp: at("token", "f64"),
  /** Entropy of the current policy at each token, nats. */
  entropy: at("token", "f64"),
  /** Entropy at each token when the batch was sampled (constant), nats. */
  oldEntropy: at("token", "f64"),
  /** Value-head prediction of the state in which each token is chosen. */
  values: at("token", "f64"),
  /** The same at rollout time (constant). */
  oldValues: at("token", "f64"),
  /** Value targets. */
  returns: at("token", "f64"),
  /** Final-layer state that predicts the token. */
  hidden: at("token", "f64", "H"),
  /** Probabilities of the K most likely tokens. */
  candidateProbs: at("token", "f64", "K"),
  /** Vocabulary ids of the K most likely tokens. */
  candidateTokens: at("token", "i32", "K"),
  /** Position of the sampled token among the K, or -1. */
  candidateIndex: at("token", "i32"),
  /** One reward a response; NaN = unverifiable. */
  rewards: at("row", "f64"),
  /** One column a reward component, in the order of `rewards` in the config. */
  rewardComponents: at("row", "f64", "K"),
  /** Credit of each token; a row-level estimator's value is repeated along the row. */
  advantages: at("token", "f64"),
  localAdvantages: at("row", "f64"),
  globalAdvantages: at("row", "f64"),
  localWeights: at("row", "f64"),
  /** Factor of each response in the loss. */
  weights: at("row", "f64"),
  /** Factor of each token in the loss. */
  tokenWeights: at("token", "f64"),
  /** 0 = the response takes no part in the update. */
  keep: at("row", "bool"),
  /** 0 = the token takes no part in the update. */
  keepTokens: at("token", "bool"),
  /** Index of the response's group, from 0 in order of first appearance. */
  group: at("row", "i32"),
  /** Stable identity of the response's prompt in the data set. */
  promptId: at("row", "string"),
  /** Prompt text. */
  prompts: at("row", "string"),
  /** Response text. */
  completions: at("row", "string"),
  /** Accepted answers of each response: string[]. */
  golds: at("row", "json"),
  /** Extracted final answer; "" when none could be extracted. */
  answers: at("row", "string"),
  /** 1 = correct. */
  correct: at("row", "f64"),
  /** 1 = the format rules are met. */
  format: at("row", "f64"),
  /** 1 = cut at the length limit. */
  truncated: at("row", "bool"),
  /** Response tokens. */
  lengths: at("row", "i32"),
  /** 1 = sampled from a prompt that carried a hint. */
  hinted: at("row", "bool"),
  /** Index of the turn that the row is, from 0. */
  turn: at("row", "i32"),
  /** Episodes: turn in which the token was written, from 0; an observation belongs to the turn that it answers. */
  turnIndex: at("token", "i32"),
  /** Episodes: 1 = the environment's token. */
  observed: at("token", "bool"),
  /** Episodes: turns that the policy wrote. */
  turns: at("row", "i32"),
  /** Episodes: what the policy wrote in its last turn. */
  lastTurn: at("row", "string"),
  /** Calls of tools. */
  toolCalls: at("row", "i32"),
  domain: at("row", "string"),
  bundle: at("row", "i32"),
  /** Node ids from depth 1 down to the leaf: number[]. */
  treePath: at("row", "json"),
  /** 1 = the policy's own token (0: a guide's or a teacher's). */
  policyMask: at("token", "bool"),
} as const satisfies Record<string, ColumnSpec>;

export type StandardColumn = keyof typeof STANDARD_COLUMNS;

export const isStandardColumn = (name: string): name is StandardColumn => Object.hasOwn(STANDARD_COLUMNS, name);

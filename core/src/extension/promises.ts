/**
 * What every component promises, by name. A method that breaks one by definition says so in its `exceptions`, with the reason;
 * the test kit then expects the check to fail.
 */
export const PROMISES = {
  gradient: "its gradient is that of central differences in float64, stopped gradients held",
  rowOrder: "the order of the rows does not matter",
  padding: "padding rows and positions change nothing, whatever they hold",
  microBatches: "a split into micro-batches does not change loss, gradient or observations",
  maskedNaN: "NaN at masked positions reaches nothing",
  degenerate: "empty, masked and lone responses and groups without variance give finite numbers",
  extremes: "log-probs of -1e4 and ratios of e^±50 give finite numbers",
  float32: "float32 agrees with float64",
  engine: "ONNX Runtime, in float32, agrees with float64",
  borders: "options at the borders of their ranges work",
  deterministic: "equal inputs and seeds give equal results",
  state: "its state survives serialisation bit for bit, and holds everything that it remembers",
  reads: "it reads and writes the columns that it declares, and no others",
  metrics: "its metrics are finite",
  hostile: "odd, empty and hostile inputs are met, and never break the run",
  episodes: "what the policy wrote stays token by token, answers are never trained on, and a given beginning is played again alike",
  trigger: "it speaks at its trouble, and is silent without it",
  delivery: "every number that it is given arrives, in order, and what a resumed run makes void goes",
  failure: "what fails is told by an error, and the next try goes on",
} as const;

export type PromiseName = keyof typeof PROMISES;

/** Promises that a component breaks by definition, with the reason. */
export type Exceptions = Readonly<Partial<Record<PromiseName, string>>>;

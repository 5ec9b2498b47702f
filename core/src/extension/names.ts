/** Version of the contract between host and plugins. */
export const CONTRACT = 1;

/** The questions that a component can answer; a config names one component for each. */
export const EXTENSION_POINTS = [
  "sampler",
  "reward",
  "advantage",
  "gate",
  "regularizer",
  "objective",
  "environment",
  "critic",
  "optimizer",
  "watchdog",
  "judge",
  "embedder",
  "exporter",
] as const;
export type ExtensionPoint = (typeof EXTENSION_POINTS)[number];

/** Services that only exist when a component asks for them. */
export const SERVICES = ["embed", "judge", "scoreTokens", "policyGradient", "likelihoodGradient", "functions"] as const;
export type ServiceName = (typeof SERVICES)[number];

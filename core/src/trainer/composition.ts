import type { Placed, PlacedReward, RunComponents } from "../registry/placed.js";

export type { Placed, PlacedEnvironment, PlacedReward, PlacedTerm, RunComponents } from "../registry/placed.js";

/** All components, wrapped ones included, in the order in which they act. */
export function componentsOf({ environment, sampler, rewards, advantage, terms }: RunComponents): Placed[] {
  const world: Placed<object>[] = environment === undefined ? [] : [environment];
  return [...world, sampler, ...rewards.flatMap(withInner), ...(advantage === null ? [] : [advantage]), ...terms];
}

/** A reward model behind those that it wraps. */
export const withInner = (part: PlacedReward): Placed[] => [...part.inner.flatMap(withInner), part];

const nameOf = (reference: string | { name: string }): string => (typeof reference === "string" ? reference : reference.name);

/** Names of the columns that the components read. */
export const readBy = (components: readonly Placed[]): Set<string> =>
  new Set(components.flatMap(({ metadata }) => (metadata.reads ?? []).map(nameOf)));

/** Names of the columns that the components write. */
export const writtenBy = (components: readonly Placed[]): Set<string> =>
  new Set(components.flatMap(({ metadata }) => (metadata.writes ?? []).map(nameOf)));

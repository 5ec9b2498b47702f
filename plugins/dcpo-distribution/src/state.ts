import type { State } from "@proximal/core";

/** Name under which advantage and regularizer share their memory. */
export const STATE = "dcpo-distribution";

export interface EntropyState extends State {
  /** Mean surprise of the sampled tokens in the last step's updates, nats; 0 before the first. */
  entropy: number;
}

export const initialState = (): EntropyState => ({ version: 1, entropy: 0 });

import type { DataState } from "@proximal/core";
import { type Beta, initialTracker } from "./tracker.js";

export interface StoredResponse {
  prompt: Int32Array;
  tokens: Int32Array;
  /** 1 = the policy's own token; observations carry no drift. */
  mask: Uint8Array;
  /** Under the policy right after the update that stored it, nats. */
  logp: Float64Array;
}

/** Shared by sampler and advantage: one entry a prompt id. */
export interface SpoState extends DataState {
  trackers: Record<string, Beta>;
  responses: Record<string, StoredResponse>;
}

export const initialState = (): SpoState => ({ version: 1, drawn: 0, trackers: {}, responses: {} });

export const STATE = "spo-single-stream";

export const trackerOf = (state: SpoState, id: string): Beta => state.trackers[id] ?? initialTracker(0, 0, 0);

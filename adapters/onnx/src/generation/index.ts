export { rowsThatFit } from "./batches.js";
export { decodeGraph } from "./decode-graph.js";
export { extendGraph } from "./extend-graph.js";
export {
  checkRequests,
  type DecodeJob,
  type DecodeLimits,
  type DecodeOutcome,
  packChecked,
  packRequests,
  positionsFor,
  unpackResults,
} from "./job.js";
export { KeptSequences } from "./kept.js";
export { uniform } from "./noise.js";
export { Homes, type PieceOptions, piecesOf } from "./pieces.js";
export { prefillGraph } from "./prefill-graph.js";
export { type DecodeRuntime, decodeRun } from "./run.js";
export type { SamplingVariant } from "./sampling.js";
export { type Ending, type Progress, StopStrings } from "./stopping.js";

import { concat, constant, type Dim, type Expr, external, input, iota, zerosLike } from "@proximal/core";
import { type LoweredGraph, type LowerOptions, loop, lower } from "../lowering/index.js";
import {
  type Attend,
  arrangeWeights,
  type LoraOptions,
  logits,
  policyInputs,
  ropeTables,
  type TransformerConfig,
  transformer,
} from "../model/index.js";
import { cacheName, decodeAttention } from "./attention.js";
import { type SamplingVariant, sample } from "./sampling.js";

const PARTS = ["keys", "values"] as const;

/**
 * One segment of a rollout as an ONNX `Loop`: forward of one token a row, draw of the next, until `steps` are made, all rows
 * are finished, or finished rows have idled for more than `patience` row-steps together. B rows start from E of R cached
 * sequences (`source` int [E]), at most C from each: `rowAt` int [E, C] and `placeOf` int [B, 2] as `decodeAttention` reads them.
 *
 * Inputs: `keys.i`, `values.i` [R, Hkv, past, D] and `bias` [R, past] (0, or a large negative number to hide a slot);
 * `token`, `position`, `limit` (tokens left) int [B]; `stop` int [B, K], −1 = none; `uniform` [S, B]; `steps` int [], `patience` [];
 * `inverseTemperature` [B] and the row settings of `sample`; with a penalty `seen` bool [B, V], tokens of
 * prompt and response so far.
 * Outputs: `tokens` int and `logp` [steps made, B]; `length` int [B], tokens of each row up to its end; `finished` bool [B];
 * keys, values and bias of the unfinished rows, in order; `keys.i.made`, `values.i.made` [B, Hkv, steps made, D], what the segment
 * added to every row. Prompt and response together have at most `positions` tokens.
 */
export function decodeGraph(
  config: TransformerConfig,
  variant: SamplingVariant,
  {
    lora,
    positions = config.max_position_embeddings,
    ...options
  }: { lora?: LoraOptions; positions?: number } & Pick<LowerOptions, "dims" | "profile" | "fixed"> = {},
): LoweredGraph {
  const weights = arrangeWeights(config, policyInputs(config, { lora }), lora);
  const { num_key_value_heads: groups, head_dim: width, num_hidden_layers: layers } = config;
  const row = (name: string, dtype: "float" | "int" | "bool" = "float") => input(name, ["B"], dtype);
  const [source, rowAt, placeOf] = [input("source", ["E"], "int"), input("rowAt", ["E", "C"], "int"), input("placeOf", ["B", 2], "int")];
  const [position, limit, stop] = [row("position", "int"), row("limit", "int"), input("stop", ["B", "K"], "int")];
  const uniform = input("uniform", ["S", "B"]);
  const patience = input("patience", []);
  const inverseTemperature = row("inverseTemperature").expandDims(1);
  const settings = {
    greedy: row("greedy", "bool"),
    topK: row("topK", "int"),
    topP: row("topP"),
    minP: row("minP"),
    repetitionPenalty: row("repetitionPenalty"),
  };
  const seen: Record<string, Expr> = variant.penalised ? { seen: input("seen", ["B", config.vocab_size], "bool") } : {};
  const names = Array.from({ length: layers }, (_, i) => PARTS.map((part) => cacheName(part, i))).flat();
  const bias = input("bias", ["R", "past"]).gather(source);
  const cached = Object.fromEntries(names.map((name) => [name, input(name, ["R", groups, "past", width]).gather(source)]));
  const empty = constant(0).broadcastTo(["B", groups, 0, width]);
  const growing: Dim[] = ["B", groups, "recent", width];

  const { carried, scans } = loop<string, "tokens" | "logp">({
    maxIterations: input("steps", [], "int"),
    carried: {
      token: row("token", "int"),
      finished: zerosLike(position).cast("bool"),
      length: zerosLike(position),
      idle: constant(0),
      ...seen,
      ...Object.fromEntries(names.map((name) => [name, empty])),
    },
    shapes: Object.fromEntries(names.map((name) => [name, growing])),
    length: "made",
    body: ({ iteration, carried: state }) => {
      const next: Record<string, Expr> = {};
      const attend: Attend = ({ q, k, v }, layer) => {
        const [keys, values] = [cacheName("keys", layer), cacheName("values", layer)];
        next[keys] = concat([state[keys]!, k.expandDims(2)], 2);
        next[values] = concat([state[values]!, v.expandDims(2)], 2);
        const earlier = { keys: cached[keys]!, values: cached[values]!, bias, rowAt, placeOf };
        return decodeAttention(q, earlier, { keys: next[keys], values: next[values] });
      };
      const tables = ropeTables(config, position.add(iteration), positions, { operator: true });
      const hidden = transformer(config, weights, state.token!, tables, attend);
      const { token, logp } = sample(
        logits(hidden.mul(inverseTemperature), weights),
        uniform.gather(iteration),
        variant,
        settings,
        state.seen,
      );
      const marked = state.seen && { seen: state.seen.or(token.expandDims(1).equal(iota(config.vocab_size))) };
      const length = state.length!.add(state.finished!.not().cast("int"));
      const stopped = token.expandDims(1).equal(stop).cast("float").sum(1).greater(0);
      const finished = state.finished!.or(stopped).or(limit.lessEqual(length));
      const idle = state.idle!.add(finished.cast("float").sum());
      const proceed = finished.not().cast("float").sum().greater(0).and(idle.lessEqual(patience));
      return { carried: { ...next, ...marked, token, length, finished, idle }, scans: { tokens: token, logp }, proceed };
    },
  });

  const [unfinished] = external("NonZero", [carried.finished!.not()], [{ shape: [1, "left"], dtype: "int" }]);
  const kept = (x: Expr) => x.gather(unfinished!.squeeze(0));
  const sequences = kept(placeOf).slice(null, [0, 1]).squeeze(1);
  const visible = constant(0).broadcastTo(["left", "made"]);
  const survivors = Object.fromEntries(
    names.map((name) => [`${name}.next`, concat([cached[name]!.gather(sequences), kept(carried[name]!)], 2)]),
  );
  const made = Object.fromEntries(names.map((name) => [`${name}.made`, carried[name]!]));
  const results = { ...scans, ...made, length: carried.length!, finished: carried.finished! };
  return lower({
    outputs: { ...results, ...survivors, "bias.next": concat([bias.gather(sequences), visible], 1) },
    forward: true,
    ...options,
  });
}

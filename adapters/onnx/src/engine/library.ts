import { type Bindings, type Dim, evaluateDim, type FeedValue } from "@proximal/core";
import { type LoweredGraph, lower, type Profile } from "../lowering/index.js";
import { transfer } from "../session/index.js";
import type { Graph } from "../update/graphs.js";
import { encodeFeeds } from "./feeds.js";
import { type GraphReference, NEXT, type ResultSpec, type Role, type WireTensor } from "./protocol.js";
import { type EngineWorkers, OWNER, type Worker } from "./workers.js";

/** A lowered graph with what its builder returned beside it. */
export interface Prepared<G extends Graph = Graph> {
  key: string;
  graph: G;
  lowered: LoweredGraph;
}

export interface GraphRun {
  role: Role;
  values: Readonly<Record<string, FeedValue>>;
  /** Flat sizes of this run, by symbol. */
  sizes?: Readonly<Record<string, number>>;
  snapshot?: string;
  /** Results that are wanted; by default all. */
  only?: readonly string[];
  /** Who runs it; by default the owner alone. */
  worker?: Worker;
}

/** Lowers graphs on first use and sends each to a worker once. */
export class GraphLibrary {
  private readonly graphs = new Map<string, Prepared>();
  private readonly sent = new Set<string>();

  constructor(
    private readonly workers: EngineWorkers,
    private readonly profile: Profile,
  ) {}

  prepare<G extends Graph>(key: string, build: () => G): Prepared<G> {
    const known = this.graphs.get(key);
    if (known !== undefined) return known as Prepared<G>;
    const graph = build();
    const next = Object.fromEntries([...graph.state].map(([name, value]) => [`${NEXT}${name}`, value]));
    const lowered = lower({ outputs: { ...next, ...graph.results }, profile: this.profile, abortOutput: true });
    const prepared = { key, graph, lowered };
    this.graphs.set(key, prepared);
    return prepared;
  }

  /** A graph as the worker knows it: with its bytes only the first time. */
  reference({ index }: Worker, key: string, lowered: () => LoweredGraph): GraphReference {
    const delivery = `${index} ${key}`;
    if (this.sent.has(delivery)) return { key };
    this.sent.add(delivery);
    const { bytes, abortOutput, dtype } = lowered();
    return { key, graph: { bytes, abortOutput, dtype } };
  }

  /** Runs a graph and returns its results. */
  async run(
    { key, lowered }: Prepared,
    { role, values, sizes = {}, snapshot, only, worker = OWNER }: GraphRun,
  ): Promise<Record<string, WireTensor>> {
    const bindings: Bindings = new Map(Object.entries(sizes));
    const results: Record<string, ResultSpec> = {};
    for (const { name, type, shape } of lowered.outputs) {
      if (name.startsWith(NEXT) || (only !== undefined && !only.includes(name))) continue;
      results[name] = { type: type as ResultSpec["type"], shape: shape.map((dim: Dim) => evaluateDim(dim, bindings)) };
    }
    const feeds = encodeFeeds(lowered.inputs, values);
    const request = { role, alone: worker.alone, graph: this.reference(worker, key, () => lowered), feeds, results, snapshot };
    const buffers = Object.values(feeds).map(({ data }) => data.buffer);
    return this.workers.callAt(worker, "run", transfer(request, buffers));
  }
}

export const numbersOf = ({ data }: WireTensor): Float64Array =>
  data instanceof BigInt64Array ? Float64Array.from(data, Number) : Float64Array.from(data);

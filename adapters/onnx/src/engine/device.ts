import { input } from "@proximal/core";
import type { Tensor } from "onnxruntime-node";
import { lower } from "../lowering/index.js";
import { Session, type SessionOptions } from "../session/index.js";
import { valuesOf } from "./state.js";

/**
 * Copies of host tensors (float32) in a GPU's memory, where updates write them in place and later runs find them. For WebGPU
 * alone: the runtime's binding for Node keeps no CUDA tensor between runs. The host's tensor stays the owner; it is behind
 * its copy from a run that wrote the copy until `pull`.
 */
export class DeviceCopies {
  private copies = new WeakMap<Tensor, Tensor>();
  private readonly ahead = new Set<Tensor>();
  private readonly transports = new Map<string, Promise<Session>>();

  constructor(private readonly options: SessionOptions) {}

  /** The copy of a host tensor, made where there is none. */
  async of(host: Tensor): Promise<Tensor> {
    const known = this.copies.get(host);
    if (known !== undefined) return known;
    const copy = await this.transport("up", host, host);
    this.copies.set(host, copy);
    return copy;
  }

  /** A run has written the copies of these. */
  wrote(hosts: readonly Tensor[]): void {
    for (const host of hosts) this.ahead.add(host);
  }

  /** The host's tensors have other values now: copies are made again when they are needed. */
  forget(hosts: readonly Tensor[]): void {
    for (const host of hosts) {
      this.copies.delete(host);
      this.ahead.delete(host);
    }
  }

  forgetAll(): void {
    this.copies = new WeakMap();
    this.ahead.clear();
  }

  /** Brings back what runs have written. */
  async pull(): Promise<void> {
    for (const host of this.ahead) {
      // Reading a GPU tensor from JavaScript ends the process; an Identity whose output is on the host does not.
      const values = await this.transport("down", host, this.copies.get(host)!);
      valuesOf(host).set(valuesOf(values));
      this.ahead.delete(host);
    }
  }

  private async transport(direction: "up" | "down", { dims }: Tensor, tensor: Tensor): Promise<Tensor> {
    const key = `${direction} ${dims.join("x")}`;
    let session = this.transports.get(key);
    if (session === undefined) {
      const { provider = "cpu" } = this.options;
      const graph = lower({ outputs: { to: input("from", dims) }, profile: provider });
      session = Session.create(graph, { ...this.options, outputLocation: direction === "up" ? "device" : "host" });
      this.transports.set(key, session);
    }
    const { to } = await (await session).run({ from: tensor });
    return to!;
  }

  async release(): Promise<void> {
    for (const session of this.transports.values()) await (await session).release();
  }
}

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { PolicyBackend } from "@proximal/core";
import { onnxAdapter } from "../../src/adapter.js";
import { SafetensorsFile } from "../../src/checkpoint/safetensors.js";
import { optimizer } from "../update/policy.js";

/** Where make.py wrote to; the tests run from the compiled folder. */
export const FIXTURES = fileURLToPath(new URL("../../../test/parity/fixtures", import.meta.url));
export const fixture = (name: string): string => join(FIXTURES, name);

/** A policy of a fixture, or of another folder. */
export const openFixture = (name: string, file = ""): Promise<PolicyBackend> =>
  onnxAdapter.open({
    model: { checkpoint: resolve(FIXTURES, name, file) },
    engine: { threads: 2, spinning: false },
    optimizer,
    seed: 1,
    valueHead: false,
  });

interface Sequence {
  prompt: number[];
  response: number[];
}

/** What transformers and PyTorch compute of a checkpoint. */
export interface Expected {
  rows: Sequence[];
  advantages: number[];
  loss: number;
  generated: Sequence[];
  chats: { messages: { role: "system" | "user" | "assistant"; content: string }[]; text: string; ids: number[] }[];
  texts: { text: string; ids: number[]; plain: number[]; decoded: string }[];
  /** By name: `logits`, `logp`, `old`, `reference`, `gradient.…`. */
  tensors: ReadonlyMap<string, Float32Array>;
}

export function readExpected(name: string): Expected {
  const folder = fixture(name);
  const file = SafetensorsFile.open(join(folder, "expected.safetensors"));
  const tensors = new Map(file.names.map((tensor) => [tensor, file.read(tensor, file.shapeOf(tensor))]));
  file.close();
  return { ...(JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Omit<Expected, "tensors">), tensors };
}

/** Largest absolute difference. */
export const largestGap = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let gap = 0;
  for (let i = 0; i < a.length; i++) gap = Math.max(gap, Math.abs(a[i]! - b[i]!));
  return gap;
};

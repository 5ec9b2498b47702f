import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { openTarget, ProximalError, replay, resolveConfig, resume, train } from "@proximal/core";
import { expect } from "chai";

const MODEL = fileURLToPath(new URL("../../adapters/onnx/test/parity/fixtures/smollm2", import.meta.url));

describe("a LoRA run whose base model has moved", function () {
  this.timeout(120000);
  let folder: string;
  let [base, moved, run] = ["", "", ""];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "proximal-moved-"));
    [base, moved, run] = [join(folder, "base"), join(folder, "moved"), join(folder, "run")];
    cpSync(MODEL, base, { recursive: true });
    const records = Array.from({ length: 4 }, (_, i) => JSON.stringify({ prompt: `${i}+1=`, answer: String(i + 1) }));
    writeFileSync(join(folder, "sums.jsonl"), `${records.join("\n")}\n`);
    const config = resolveConfig({
      algorithm: "grpo",
      model: { checkpoint: base, lora: { rank: 2 } },
      data: { train: join(folder, "sums.jsonl"), evalFraction: 0.25 },
      sampling: { maxTokens: 2 },
      sampler: { promptsPerStep: 1, groupSize: 2 },
      rewards: [{ use: "exact-match" }],
      trainer: { steps: 3, checkpointEvery: 1 },
      output: run,
    });
    const stop = new AbortController();
    await train(config, { signal: stop.signal, onEvent: (event) => event.type === "step" && stop.abort() });
    renameSync(base, moved);
  });
  after(() => rmSync(folder, { recursive: true }));

  const failure = async (act: Promise<unknown>): Promise<string> => {
    const error: unknown = await act.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(ProximalError);
    return (error as ProximalError).describe();
  };

  for (const [what, open] of [
    ["eval, generate and export", () => openTarget(run)],
    ["resume", () => resume(run)],
    ["replay", () => replay(run, 1)],
  ] as const) {
    it(`tells ${what} which folder is missing, where it is recorded, and how to name another one`, async () => {
      const text = await failure(open());
      expect(text).to.include(`${base} at model.checkpoint: the base model of the LoRA updates is not there`);
      expect(text).to.include(join(run, "config.json"));
      expect(text).to.include("--set model.checkpoint=PATH");
    });
  }

  it("opens with the new place, given from the folder where the command runs", async () => {
    const opened = await openTarget(run, { set: [`model.checkpoint=${relative(process.cwd(), moved)}`] });
    expect(opened.policy.info.parameters).to.be.above(0);
    await opened.close();
  });
});

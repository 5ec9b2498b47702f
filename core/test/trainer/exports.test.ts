import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { ComponentMetadata, ExportedRecord, ExportedRun, Exporter, Placed, RunEvent, RunOutcome } from "../../src/index.js";
import { Exports } from "../../src/trainer/exports.js";
import { temporaryFolder } from "../doubles/runs.js";

const stepEvent = (step: number): RunEvent => ({ type: "step", steps: 9, record: { step, reward: step / 10 }, secondsLeft: 0 });
const startEvent = (from: number) => ({ type: "start", steps: 9, from, facts: {} }) as unknown as RunEvent;
const rest = () => new Promise((done) => setTimeout(done, 5));

/** Writes down what it is told; `fails` counts the calls that still go wrong. */
class Notes implements Exporter {
  readonly steps: number[] = [];
  readonly calls: string[] = [];
  run?: ExportedRun;
  constructor(
    readonly fails: { open?: number; write?: number; close?: number } = {},
    private readonly slow = 0,
  ) {}

  private async call(name: "open" | "write" | "close"): Promise<void> {
    this.calls.push(name);
    if (this.slow > 0) await new Promise((done) => setTimeout(done, this.slow));
    const left = this.fails[name] ?? 0;
    if (left === 0) return;
    this.fails[name] = left - 1;
    throw new Error(`${name} failed`);
  }

  async open(run: ExportedRun): Promise<void> {
    await this.call("open");
    this.run = run;
  }
  async write(records: readonly ExportedRecord[]): Promise<void> {
    await this.call("write");
    this.steps.push(...records.map(({ step }) => step));
  }
  async close(outcome: RunOutcome): Promise<void> {
    await this.call("close");
    this.calls.push(outcome);
  }
}

describe("exporters beside a run", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const warnings: string[] = [];
  const follow = (...exporters: Exporter[]): Exports => {
    warnings.length = 0;
    const placed = exporters.map((component, i): Placed<Exporter> => ({ id: `e${i}`, component, metadata: {} as ComponentMetadata }));
    return new Exports(placed, { name: "run", kind: "train", config: { seed: 1 } }, root, (message) => warnings.push(message));
  };

  it("get every step in order, a folder of their own, and how the run ended", async () => {
    const notes = new Notes();
    const exports = follow(notes);
    exports.observe(startEvent(0));
    for (let step = 1; step <= 3; step++) {
      exports.observe(stepEvent(step));
      await rest();
    }
    await exports.close("finished");
    expect(notes.steps).to.deep.equal([1, 2, 3]);
    expect(notes.calls.at(-1)).to.equal("finished");
    expect(notes.run).to.include({ name: "run", kind: "train", from: 0, folder: join(root, "exports", "e0") });
    expect(existsSync(notes.run!.folder)).to.equal(true);
    expect(warnings).to.deep.equal([]);
  });

  it("are told from where a continued run goes on", async () => {
    const notes = new Notes();
    const exports = follow(notes);
    exports.observe(startEvent(5));
    exports.observe(stepEvent(6));
    await exports.close("stopped");
    expect([notes.run?.from, ...notes.steps]).to.deep.equal([5, 6]);
  });

  it("do not hold up the run: while one is slow, its records gather", async () => {
    const slow = new Notes({}, 30);
    const fast = new Notes();
    const exports = follow(slow, fast);
    exports.observe(startEvent(0));
    const start = performance.now();
    for (let step = 1; step <= 50; step++) exports.observe(stepEvent(step));
    expect(performance.now() - start).to.be.below(25);
    await exports.close("finished");
    expect(slow.steps).to.have.length(50);
    expect(slow.calls.filter((call) => call === "write").length).to.be.below(5);
    expect(fast.steps).to.have.length(50);
  });

  const failures: [what: string, fails: Notes["fails"], steps: number[]][] = [
    ["at its start", { open: 2 }, [1, 2, 3]],
    ["at a step", { write: 1 }, [1, 2, 3]],
    ["at the end", { close: 1 }, [1, 2, 3]],
    ["always", { write: 99 }, []],
  ];
  for (const [what, fails, steps] of failures) {
    it(`that fail ${what} give one warning, and the same records are tried again`, async () => {
      const notes = new Notes(fails);
      const other = new Notes();
      const exports = follow(notes, other);
      exports.observe(startEvent(0));
      for (let step = 1; step <= 3; step++) {
        exports.observe(stepEvent(step));
        await rest();
      }
      await exports.close("finished");
      expect(notes.steps).to.deep.equal(steps);
      expect(other.steps).to.deep.equal([1, 2, 3]);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(/^exporter "e0": \w+ failed; the run goes on$/);
    });
  }
});

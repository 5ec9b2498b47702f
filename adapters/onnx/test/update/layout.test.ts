import type { ScoreRow } from "@proximal/core";
import { expect } from "chai";
import fc from "fast-check";
import type { TransformerConfig } from "../../src/model/index.js";
import { GridMemory, rowsOf } from "../../src/update/grid.js";
import { bucket, collect, layoutRows, spread } from "../../src/update/layout.js";
import { defaultMicroBatchTokens, planMicroBatches } from "../../src/update/microbatch.js";
import { tinyConfig } from "./support.js";

const tokens = (minLength: number, maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength, maxLength }).map((list) => Int32Array.from(list));
/** Rows of a few prompts, several rows each. */
const someRows = fc
  .array(fc.record({ prompt: tokens(1, 6), responses: fc.array(tokens(0, 9), { minLength: 1, maxLength: 5 }) }), {
    minLength: 1,
    maxLength: 5,
  })
  .map((groups) => groups.flatMap(({ prompt, responses }, group) => responses.map((response) => ({ prompt, response, group }))));

const offsetsOf = (rows: readonly ScoreRow[]): Int32Array => {
  const offsets = new Int32Array(rows.length + 1);
  rows.forEach(({ response }, i) => {
    offsets[i + 1] = offsets[i]! + response.length;
  });
  return offsets;
};

describe("micro-batches", () => {
  it("hold every row once, in order, and all rows when they fit", () => {
    fc.assert(
      fc.property(someRows, fc.integer({ min: 1, max: 60 }), fc.boolean(), (rows, budget, keep) => {
        const groups = keep ? rows.map(({ group }) => group) : undefined;
        const batches = planMicroBatches(rows, { tokens: budget, groups });
        expect(batches.flat().sort((a, b) => a - b)).to.deep.equal(rows.map((_, i) => i));
        for (const batch of batches) expect(batch).to.deep.equal([...batch].sort((a, b) => a - b));
        expect(planMicroBatches(rows, { tokens: 1e6, groups })).to.have.length(1);
      }),
    );
  });

  it("leave groups whole when asked", () => {
    fc.assert(
      fc.property(someRows, fc.integer({ min: 1, max: 60 }), (rows, budget) => {
        const batches = planMicroBatches(rows, { tokens: budget, groups: rows.map(({ group }) => group) });
        const seen = batches.map((batch) => new Set(batch.map((i) => rows[i]!.group)));
        expect(seen.reduce((n, groups) => n + groups.size, 0)).to.equal(new Set(rows.map(({ group }) => group)).size);
      }),
    );
  });

  it("are as many for each worker, of about equal cost", () => {
    const rows = Array.from({ length: 64 }, (_, i) => ({ prompt: Int32Array.of(i >> 3, 1, 2), response: new Int32Array(5) }));
    for (const [workers, budget, count] of [
      [2, 1e6, 2],
      [4, 1e6, 4],
      [2, 120, 4],
      [3, 120, 3],
    ] as const) {
      const batches = planMicroBatches(rows, { tokens: budget, workers });
      expect(batches.length, `${workers} workers, ${budget} tokens`).to.equal(count);
      const sizes = batches.map((batch) => batch.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).to.be.at.most(8);
    }
    expect(planMicroBatches(rows.slice(0, 1), { tokens: 1e6, workers: 4 })).to.deep.equal([[0]]);
  });

  it("stay near the budget when rows are small", () => {
    const rows = Array.from({ length: 64 }, (_, i) => ({ prompt: Int32Array.of(i >> 3, 1, 2), response: new Int32Array(5) }));
    for (const budget of [30, 50, 100, 200]) {
      const batches = planMicroBatches(rows, { tokens: budget });
      for (const batch of batches) {
        const prompts = new Set(batch.map((i) => i >> 3)).size;
        expect(3 * prompts + 5 * batch.length).to.be.at.most(1.25 * budget);
      }
    }
  });
});

describe("the default size of a micro-batch", () => {
  const row = (length: number): ScoreRow => ({ prompt: new Int32Array(1), response: new Int32Array(length - 1) });
  const sizes = (change: Partial<TransformerConfig>) => ({
    ...tinyConfig(),
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    ...change,
  });
  const base = defaultMicroBatchTokens(sizes({}), [row(64)]);
  for (const [what, tokens, smaller] of [
    ["more layers", defaultMicroBatchTokens(sizes({ num_hidden_layers: 60 }), [row(64)]), true],
    ["a larger vocabulary", defaultMicroBatchTokens(sizes({ vocab_size: 100_000 }), [row(64)]), true],
    ["longer rows", defaultMicroBatchTokens(sizes({}), [row(64), row(2048)]), true],
    ["recomputed layers", defaultMicroBatchTokens(sizes({}), [row(64)], { recompute: true }), false],
  ] as const) {
    it(`is ${smaller ? "smaller" : "larger"} with ${what}`, () => {
      expect(Math.sign(tokens - base)).to.equal(smaller ? -1 : 1);
    });
  }
});

describe("grids of changing batches", () => {
  const grid = (prompts: number, responseSlots: number) => ({ prompts, rowsPerPrompt: 8, promptSlots: 24, responseSlots });
  it("settle on one that holds them all, when little is wasted", () => {
    const memory = new GridMemory();
    const sizes = [grid(8, 28), grid(7, 32), grid(8, 28), grid(7, 28), grid(8, 32)];
    expect(sizes.map((tight) => memory.choose("update", tight))).to.deep.equal([
      grid(8, 28),
      grid(8, 32),
      grid(8, 32),
      grid(8, 32),
      grid(8, 32),
    ]);
  });
  it("are tight again when much would be wasted, and each kind has its own", () => {
    const memory = new GridMemory();
    memory.choose("update", grid(8, 32));
    expect(memory.choose("score", grid(7, 28))).to.deep.equal(grid(7, 28));
    expect(memory.choose("update", grid(2, 8))).to.deep.equal(grid(2, 8));
    expect(new GridMemory(memory.grids).choose("update", grid(2, 7))).to.deep.equal(grid(2, 8));
  });
});

describe("the layout of rows", () => {
  it("has sizes in steps of at most a quarter", () => {
    const sizes = Array.from({ length: 3000 }, (_, i) => i + 1);
    for (const size of sizes) {
      expect(bucket(size)).to.be.at.least(size);
      expect(bucket(size)).to.be.at.most(Math.ceil(1.25 * size));
      expect(bucket(bucket(size))).to.equal(bucket(size));
    }
    expect(new Set(sizes.map(bucket)).size).to.be.below(50);
  });

  it("gives each token one slot and one position, in one grid for all parts", () => {
    fc.assert(
      fc.property(someRows, fc.integer({ min: 1, max: 40 }), fc.boolean(), (rows, budget, sharePrompts) => {
        const parts = planMicroBatches(rows, { tokens: budget }).map((indices) => indices.map((i) => rows[i]!));
        for (const [p, { grid, feeds, sizes, positionOf }] of layoutRows(parts, { sharePrompts }).entries()) {
          const part = parts[p]!;
          const data = (name: string) => [...feeds[`rows:${name}`]!.data];
          expect(part.length).to.be.at.most(rowsOf(grid));
          for (const [slotOf, slots, first] of [
            ["slotOfPromptToken", "promptSlots", 0],
            ["slotOfResponseToken", "responseSlots", sizes.promptTokens],
          ] as const) {
            const spare = sizes.promptTokens - 1;
            const at = data(slots);
            data(slotOf).forEach((slot, token) => {
              const isSpare = first + token === spare || (first > 0 && positionOf.length === 0);
              expect(at[slot], slotOf).to.equal(isSpare ? spare : first + token);
            });
            expect(new Set(data(slotOf)).size, slotOf).to.equal(data(slotOf).length);
          }
          positionOf.forEach((position, token) => {
            const { response, prompt } = part[Math.floor(position / grid.responseSlots)]!;
            const t = position % grid.responseSlots;
            expect(data("targets")[token]).to.equal(response[t]);
            expect(data("previousTokens")[token]).to.equal(t === 0 ? prompt.at(-1) : response[t - 1]);
            expect(data("responsePositions")[token]).to.equal(prompt.length - 1 + t);
            expect(data("tokenAt")[position]).to.equal(token);
          });
        }
      }),
    );
  });

  it("computes a prompt once for the rows that have it", () => {
    const prompt = Int32Array.from({ length: 10 }, (_, i) => i);
    const rows = Array.from({ length: 8 }, () => ({ prompt, response: Int32Array.of(1, 2) }));
    const [shared, apart] = [true, false].map((sharePrompts) => layoutRows([rows], { sharePrompts })[0]!.sizes);
    expect(shared).to.deep.equal({ promptTokens: 9 + 1, responseTokens: 16 });
    expect(apart).to.deep.equal({ promptTokens: 8 * 9 + 1, responseTokens: 16 });
  });

  it("collect takes what spread puts back", () => {
    fc.assert(
      fc.property(someRows, fc.integer({ min: 1, max: 3 }), (rows, width) => {
        const indices = rows.map((_, i) => i);
        const [layout] = layoutRows([rows], { sharePrompts: true });
        const offsets = offsetsOf(rows);
        const values = Float64Array.from({ length: offsets.at(-1)! * width }, (_, i) => i + 1);
        fc.pre(values.length > 0);
        const flat = collect(values, layout!, offsets, indices);
        const back = new Float64Array(values.length);
        spread(flat.data, layout!, offsets, indices, back);
        expect(back).to.deep.equal(values);
      }),
    );
  });
});

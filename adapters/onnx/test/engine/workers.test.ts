import { ConfigError } from "@proximal/core";
import { expect } from "chai";
import { type EngineClient, EngineWorkers } from "../../src/engine/workers.js";
import { completeSection, engineSchema, workersOf } from "../../src/schemas.js";

/** A client that writes down what it is called with. */
function recording(calls: string[], name: string): EngineClient {
  return {
    async call(method, ..._) {
      calls.push(`${name}.${method}`);
      return {} as never;
    },
    close: async () => {
      calls.push(`${name}.close`);
    },
  };
}

function group(count: number): { workers: EngineWorkers; calls: string[] } {
  const calls: string[] = [];
  const clients = Array.from({ length: count }, (_, i) => recording(calls, `${i}`));
  return { workers: new EngineWorkers(clients as [EngineClient]), calls };
}

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("engines that share their work", () => {
  it("fixed: the worker of a piece follows from its place, however long the others take", async () => {
    const { workers } = group(2);
    const done = await workers.share(
      [9, 1, 1, 1, 1],
      async (time, { index, alone }) => {
        await later(time);
        return `${index}${alone}`;
      },
      { fixed: true },
    );
    expect(done).to.deep.equal(["0false", "1false", "0false", "1false", "0false"]);
  });

  it("else the one who is free takes the next piece", async () => {
    const { workers } = group(2);
    const done = await workers.share([40, 1, 1, 1, 1], async (time, { index }) => {
      await later(time);
      return index;
    });
    expect(done).to.deep.equal([0, 1, 1, 1, 1]);
  });

  it("the owner does a single piece, and everything without others, alone", async () => {
    const who = async (_: number, { index, alone }: { index: number; alone: boolean }) => `${index}${alone}`;
    expect(await group(3).workers.share([1], who)).to.deep.equal(["0true"]);
    expect(await group(1).workers.share([1, 2], who)).to.deep.equal(["0true", "0true"]);
  });

  it("copies get the parameters before they are used again, once after each change", async () => {
    const { workers, calls } = group(2);
    const work = () => workers.share([1, 2], async () => undefined);
    await work();
    expect(calls).to.deep.equal([]);
    workers.changed();
    workers.changed();
    await work();
    await work();
    expect(calls).to.deep.equal(["0.lendParameters", "1.takeParameters"]);
  });

  it("gradients come from the workers that had a piece, and from no other", async () => {
    for (const [pieces, from] of [
      [1, []],
      [2, ["1.giveGradients", "0.addGradients"]],
      [9, ["1.giveGradients", "0.addGradients", "2.giveGradients", "0.addGradients"]],
    ] as const) {
      const { workers, calls } = group(3);
      await workers.sumGradients(pieces);
      expect(calls, `${pieces} pieces`).to.deep.equal(from);
    }
  });

  it("a failure is reported when the others have come to their end", async () => {
    const { workers } = group(2);
    let ended = false;
    const error = await workers
      .share([0, 1], async (piece) => {
        if (piece === 0) throw new Error("no");
        await later(5);
        ended = true;
      })
      .catch((e: unknown) => e);
    expect(error).to.be.instanceOf(Error).with.property("message", "no");
    expect(ended).to.equal(true);
  });
});

describe("the number of workers", () => {
  const workers = (section: object, parameters = 1e6) => workersOf(completeSection(engineSchema, "engine", section), parameters);
  for (const [what, found, expected] of [
    ["one a thread for a small model", workers({ threads: 4 }), 4],
    ["fewer with some threads each, where copies would fill memory", workers({ threads: 16 }, 30e6), 4],
    ["eight at most, with the threads divided among them", workers({ threads: 64 }), 8],
    ["one for a large model", workers({ threads: 4 }, 1e8), 1],
    ["what is asked for, of any model", workers({ threads: 4, workers: 2 }, 1e8), 2],
    ["one on a GPU", workers({ threads: 4, provider: "cuda" }), 1],
  ] as const) {
    it(`is ${what}`, () => expect(found).to.equal(expected));
  }

  for (const [what, section, accepted] of [
    ["more than threads", { threads: 2, workers: 3 }, "1 to 2, auto"],
    ["several on a GPU", { provider: "cuda", workers: 2 }, "1, auto"],
  ] as const) {
    it(`is refused: ${what}`, () => {
      const error = (() => {
        try {
          return workers(section);
        } catch (e) {
          return e;
        }
      })();
      expect(error).to.be.instanceOf(ConfigError).with.property("details").that.includes({ path: "engine.workers", accepted });
    });
  }
});

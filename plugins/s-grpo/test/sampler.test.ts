import { instantiate } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { SerialSampler } from "../src/index.js";

const specs = { exitPosition: { at: "row", dtype: "i32" } } as const;
const options = { exits: 3, promptsPerStep: 2, endOfThought: "|", exitPrompt: "!|", answerMaxTokens: 4, shuffle: false };

async function collect(given: object, full: string) {
  const sampler = instantiate(SerialSampler, { ...options, ...given });
  const respond = ({ prefix }: { prefix?: Int32Array }) => (prefix === undefined ? full : "42");
  const context = sampleContext({ state: sampler.initialState(), respond, specs, maxTokens: 20 });
  return { ...(await sampler.collect(context)), requests: context.requests };
}

describe("SerialSampler", () => {
  it("answers from distinct places of the thought, the full response last", async () => {
    const { groups, batch } = await collect({}, "abcdef|9");
    expect(groups.map(({ trajectories }) => trajectories.length)).to.deep.equal([4, 4]);
    for (const rows of batch.groupRows) {
      const exits = [...rows].map((row) => batch.i32("exitPosition")[row]!);
      expect(exits).to.deep.equal([...new Set(exits)].sort((a, b) => a - b));
      expect(exits.at(-1)).to.equal(6);
      [...rows].slice(0, -1).forEach((row, i) => {
        expect(batch.strings("completions")[row]).to.equal(`${"abcdef".slice(0, exits[i])}!|42`);
      });
    }
  });

  it("trains on the thought in front of the exit and on the answer, not on the exit prompt", async () => {
    const { batch } = await collect({ exits: 1 }, "ab|9");
    const exit = batch.i32("exitPosition")[0]!;
    const expected = [...new Array<number>(exit).fill(1), 0, 0, 1, 1];
    expect(batch.ragged("mask")[0]).to.deep.equal(expected);
    expect(batch.ragged("oldLogp")[0]).to.deep.equal(expected.map((kept) => (kept ? -1 : 0)));
  });

  it("leaves a short thought at every place and an empty one nowhere", async () => {
    expect((await collect({}, "ab|9")).groups[0]!.trajectories).to.have.length(3);
    expect((await collect({}, "|9")).groups[0]!.trajectories).to.have.length(1);
  });

  it("can leave the full response out", async () => {
    const { groups } = await collect({ includeFull: false }, "abcdef|9");
    expect(groups[0]!.trajectories.map(({ text }) => text.endsWith("!|42"))).to.deep.equal([true, true, true]);
  });
});

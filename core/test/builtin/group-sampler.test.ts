import { expect } from "chai";
import {
  type DataState,
  firstKept,
  GroupSampler,
  type RefillOptions,
  type SampleContext,
  type SampleResult,
  varyingGroups,
} from "../../src/index.js";
import { sampleContext } from "../../src/testing/index.js";

/** Refills with the groups whose rewards differ. */
class Refilling extends GroupSampler {
  protected readonly settings = { groupSize: 2, promptsPerStep: 3, shuffle: false };

  constructor(private readonly o: Omit<RefillOptions, "keep">) {
    super();
  }

  override async collect(context: SampleContext<DataState>): Promise<SampleResult<DataState>> {
    const { batches, generated, ...filled } = await this.refill(context, {
      ...this.o,
      keep: (batch) => varyingGroups(batch.f64("rewards"), batch.groupRows),
    });
    return { ...filled, metrics: { batches, generated } };
  }
}

/** Prompts p0, p2, … give equal rewards, p1, p3, … different ones. */
const oddPromptsVary = ({ prompt, key }: { prompt: { id: string }; key?: string }): string =>
  Number(prompt.id.slice(1)) % 2 === 1 && key!.endsWith("/1") ? "1" : "0";

const collect = (o: Omit<RefillOptions, "keep">, respond = oddPromptsVary, prompts = 6) => {
  const sampler = new Refilling(o);
  const context = sampleContext({ state: sampler.initialState(), prompts, respond });
  return sampler.collect(context).then((result) => ({ ...result, context }));
};

describe("GroupSampler.refill", () => {
  it("samples batch after batch until the target is reached and keeps the groups in order of arrival", async () => {
    const { groups, batch, metrics, state } = await collect({ target: 3, maxBatches: 10 });
    expect(groups.map(({ prompt }) => prompt.id)).to.deep.equal(["p1", "p3", "p5"]);
    expect(batch.strings("promptId")).to.deep.equal(["p1", "p1", "p3", "p3", "p5", "p5"]);
    expect([...batch.f64("rewards")]).to.deep.equal([1, 0, 1, 0, 1, 0]);
    expect(batch.groups).to.equal(3);
    expect(metrics).to.deep.equal({ batches: 2, generated: 6 });
    expect(state.drawn).to.equal(6);
  });

  it("drops what is beyond the target", async () => {
    const { groups, metrics } = await collect({ target: 2, maxBatches: 10 });
    expect(groups.map(({ prompt }) => prompt.id)).to.deep.equal(["p1", "p3"]);
    expect(metrics.batches).to.equal(2);
  });

  it("gives up after maxBatches with what it has, even nothing", async () => {
    expect((await collect({ target: 9, maxBatches: 2 })).groups).to.have.length(3);
    const none = await collect({ target: 1, maxBatches: 3 }, () => "0");
    expect(none.groups).to.have.length(0);
    expect(none.batch.rows).to.equal(0);
    expect(none.metrics.batches).to.equal(3);
  });

  it("never gives up with maxBatches 0", async () => {
    const { groups, metrics } = await collect({ target: 30, maxBatches: 0 });
    expect(groups).to.have.length(30);
    expect(metrics.batches).to.equal(20);
  });

  it("names the noise of a prompt that comes again within the step anew", async () => {
    const { context } = await collect({ target: 9, maxBatches: 4 });
    const names = context.requests.map(({ prompt, key }) => `${prompt.id} ${key}`);
    expect(new Set(names).size).to.equal(24);
  });

  const kept: [title: string, metric: number[], rows: number[][], keep: boolean[]][] = [
    [
      "drops groups in which the metric is constant",
      [1, 1, 0, 1],
      [
        [0, 1],
        [2, 3],
      ],
      [false, true],
    ],
    ["keeps a group of one", [1], [[0]], [true]],
    [
      "looks at verifiable responses only",
      [Number.NaN, 1, 1, Number.NaN, 0, 1],
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      [false, true],
    ],
    ["drops a group without any verifiable response", [Number.NaN, Number.NaN], [[0, 1]], [false]],
  ];
  for (const [title, metric, rows, keep] of kept)
    it(`varyingGroups ${title}`, () => expect(varyingGroups(metric, rows)).to.deep.equal(keep));

  it("firstKept gives the positions of the first groups that are kept", () => {
    expect(firstKept([false, true, true, false, true], 2)).to.deep.equal([1, 2]);
    expect(firstKept([false, true], 2)).to.deep.equal([1]);
  });
});

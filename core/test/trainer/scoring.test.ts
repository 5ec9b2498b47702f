import { rmSync } from "node:fs";
import { expect } from "chai";
import { type Batch, type RewardModel, type RewardResult, rewardModel, type StandardColumn, trainingStep } from "../../src/index.js";
import { EvenReward, gateOnly, place, tabularRun, temporaryFolder } from "../doubles/runs.js";

/** 1 for a completion that ends by itself, null for one that is cut. */
@rewardModel({ id: "ended", reads: ["truncated"] })
class EndedReward implements RewardModel {
  score(batch: Batch): RewardResult {
    const truncated = batch.f64("truncated");
    return { rewards: [...truncated].map((cut) => (cut ? null : 1)), components: { cut: truncated } };
  }
}

@rewardModel({ id: "nothing", reads: ["completions"] })
class NothingVerified implements RewardModel {
  score(batch: Batch): RewardResult {
    return { rewards: new Array<null>(batch.rows).fill(null) };
  }
}

@rewardModel({ id: "doubled", reads: ["completions"], wraps: true })
class Doubled implements RewardModel {
  score(_batch: Batch, { inner }: Parameters<RewardModel["score"]>[1]): RewardResult {
    return { rewards: inner!.rewards.map((reward) => 2 * reward) };
  }
}

describe("rewards of a training step", () => {
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true }));

  it("leaves unverifiable rows out of the update", async () => {
    const run = tabularRun(folder, { composition: { ...gateOnly(), rewards: [{ ...place(EndedReward), weight: 1, inner: [] }] } });
    const { metrics, sampled, trained } = await trainingStep(run, 0);
    const cut = sampled.f64("truncated").reduce((a, b) => a + b);
    expect(cut).to.be.above(0);
    expect(metrics.unverifiable).to.equal(cut);
    expect(trained.rows).to.equal(sampled.rows - cut);
    expect([...trained.f64("rewards")].every((reward) => reward === 1)).to.equal(true);
    expect(metrics["reward.ended.cut"]).to.be.closeTo(cut / sampled.rows, 1e-12);
  });

  it("reports a step without update when nothing is left to train on", async () => {
    const run = tabularRun(folder, { composition: { ...gateOnly(), rewards: [{ ...place(NothingVerified), weight: 1, inner: [] }] } });
    const { metrics } = await trainingStep(run, 0);
    expect(metrics).to.include({ updates: 0, skipped: 0, trainedRows: 0, unverifiable: 32 });
    expect(metrics.loss).to.deep.equal(Number.NaN);
  });

  it("adds rewards by weight, hands wrapped ones to their wrapper, and ignores what a weight of 0 cannot verify", async () => {
    const even = { ...place(EvenReward), weight: 0.5, inner: [] };
    const wrapper = { ...place(Doubled), weight: 2, inner: [{ ...even, id: "inner", weight: 3 }] };
    const silent = { ...place(NothingVerified), weight: 0, inner: [] };
    const run = tabularRun(folder, { composition: { ...gateOnly(), rewards: [even, wrapper, silent] } });
    const { sampled, metrics } = await trainingStep(run, 0);
    for (let row = 0; row < sampled.rows; row++) {
      const reward = 1 - (sampled.tokensOf("tokens", row)[0]! % 2);
      expect(sampled.f64("rewards")[row]).to.equal(0.5 * reward + 2 * 2 * 3 * reward);
      expect([...sampled.f64("rewardComponents").subarray(3 * row, 3 * row + 2)]).to.deep.equal([reward, 6 * reward]);
    }
    expect(metrics["reward.doubled"]).to.be.closeTo(6 * metrics["reward.even"]!, 1e-12);
    expect(metrics.unverifiable).to.equal(0);
  });

  it("calls a response correct by its first reward as it was before a wrapper shaped it", async () => {
    @rewardModel({ id: "punished", reads: ["completions"], wraps: true })
    class Punished implements RewardModel {
      score(_batch: Batch, { inner }: Parameters<RewardModel["score"]>[1]): RewardResult {
        return { rewards: inner!.rewards.map((reward) => reward - 0.75) };
      }
    }
    const rewards = [{ ...place(Punished), weight: 1, inner: [{ ...place(EvenReward), weight: 1, inner: [] }] }];
    const { metrics, sampled } = await trainingStep(tabularRun(folder, { composition: { ...gateOnly(), rewards } }), 0);
    expect([...sampled.f64("correct")]).to.deep.equal([...sampled.f64("rewards")].map((reward) => (reward > 0 ? 1 : 0)));
    expect(metrics.accuracy).to.be.closeTo(metrics.reward! + 0.75, 1e-12);
  });

  describe("by several models", () => {
    /** Rewards every response with `reward` after a while; tells when it begins and ends. */
    const slow = (
      id: string,
      log: string[],
      o: { reward: number; wait: number; reads?: StandardColumn[]; writes?: StandardColumn[]; fails?: boolean },
    ) => ({
      ...place(NothingVerified, {}, id),
      weight: 1,
      inner: [],
      metadata: { ...place(NothingVerified).metadata, reads: o.reads ?? [], writes: o.writes ?? [] },
      component: {
        score: async (batch: Batch): Promise<RewardResult> => {
          log.push(`${id} begins${(o.reads ?? []).map((name) => `, ${name} ${batch.f64(name)[0]}`)}`);
          await new Promise((done) => setTimeout(done, o.wait));
          log.push(`${id} ends`);
          if (o.fails) throw new Error(`${id} fails`);
          const columns = Object.fromEntries((o.writes ?? []).map((name) => [name, new Float64Array(batch.rows).fill(o.reward)]));
          return { rewards: new Float64Array(batch.rows).fill(o.reward), columns };
        },
      },
    });
    const score = async (rewards: ReturnType<typeof slow>[], rewardConcurrency: number) =>
      trainingStep(tabularRun(folder, { composition: { ...gateOnly(), rewards }, settings: { trainer: { rewardConcurrency } } }), 0);

    for (const [concurrency, order] of [
      [4, "a begins, b begins, b ends, a ends"],
      [1, "a begins, a ends, b begins, b ends"],
    ] as const) {
      it(`runs at most ${concurrency} at the same time, with the same outcome`, async () => {
        const log: string[] = [];
        const { metrics } = await score([slow("a", log, { reward: 1, wait: 30 }), slow("b", log, { reward: 2, wait: 5 })], concurrency);
        expect(log.join(", ")).to.equal(order);
        expect(metrics).to.include({ reward: 3, "reward.a": 1, "reward.b": 2 });
      });
    }

    it("lets one that reads what another writes wait for it alone", async () => {
      const log: string[] = [];
      const writer = slow("writer", log, { reward: 0.5, wait: 10, writes: ["weights"] });
      await score(
        [writer, slow("reader", log, { reward: 1, wait: 1, reads: ["weights"] }), slow("other", log, { reward: 1, wait: 30 })],
        4,
      );
      expect(log.join("; ")).to.equal("writer begins; other begins; writer ends; reader begins, weights 0.5; reader ends; other ends");
    });

    it("tells the first failure in the config's order, whichever comes first", async () => {
      const failing = [slow("late", [], { reward: 1, wait: 20, fails: true }), slow("soon", [], { reward: 1, wait: 1, fails: true })];
      const error = await score(failing, 4).catch((thrown: unknown) => thrown);
      expect((error as Error).message).to.equal("late fails");
    });
  });
});

import { rmSync } from "node:fs";
import { expect } from "chai";
import {
  CharTokenizer,
  type Context,
  type Objective,
  objective,
  type State,
  type StepExpressions,
  TabularPolicy,
  trainingStep,
  type UpdateOutcome,
  type UpdateRequest,
  type UpdateResult,
} from "../../src/index.js";
import { EvenReward, gateOnly, grpo, place, tabularRun, temporaryFolder } from "../doubles/runs.js";

interface Counter extends State {
  seen: number;
}

/** Mean log-prob times a factor that is NaN at step 1; counts the updates it hears of. */
@objective({ id: "spoilt", reads: ["logp"] })
class SpoiltObjective implements Objective<Counter> {
  initialState(): Counter {
    return { version: 1, seen: 0 };
  }
  stepValues(_state: Counter, { step }: { step: number }) {
    return { factor: step === 1 ? Number.NaN : 1 };
  }
  terms({ logp }: Context, { factor }: StepExpressions) {
    return { value: logp.mul(factor!), observe: { mean: { value: logp, aggregation: "token-mean" as const } } };
  }
  afterUpdate({ state, observed }: Parameters<NonNullable<Objective<Counter>["afterUpdate"]>>[0]): Counter {
    return { version: 1, seen: state.seen + (observed.mean?.length ?? 0) };
  }
}

interface Seen extends State {
  entropy: number;
}

/** Keeps the first token's entropy at sampling time, which its terms do not read. */
@objective({ id: "watching", reads: ["logp", "oldEntropy"] })
class WatchingObjective implements Objective<Seen> {
  initialState(): Seen {
    return { version: 1, entropy: 0 };
  }
  terms({ logp }: Context) {
    return { value: logp };
  }
  afterUpdate({ batch }: UpdateOutcome<Seen>): Seen {
    return { version: 1, entropy: batch.f64("oldEntropy")[0]! };
  }
}

describe("a training step", () => {
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true }));

  it("raises the reward over some steps", async () => {
    const run = tabularRun(folder, { settings: { optimizer: { learningRate: 0.5 } } });
    await run.policy.snapshot("reference");
    const rewards: number[] = [];
    for (let step = 0; step < 50; step++) rewards.push((await trainingStep(run, step)).metrics.reward!);
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(rewards.slice(0, 10))).to.be.below(0.1);
    expect(mean(rewards.slice(-10))).to.be.above(0.4);
  });

  it("reports rewards, lengths, learning rate and what the terms observe", async () => {
    const run = tabularRun(folder, { settings: { optimizer: { warmupSteps: 4, learningRate: 0.2 } } });
    await run.policy.snapshot("reference");
    const { metrics, sampled } = await trainingStep(run, 1);
    expect(metrics).to.include({ step: 2, learningRate: 0.1, rows: 32, groups: 4, updates: 1, skipped: 0, unverifiable: 0, kl: 0 });
    expect(metrics.tokens).to.equal(sampled.tokens);
    expect(metrics["reward.exact-match"]).to.equal(metrics.reward);
    expect(metrics["kl.kl"]).to.equal(0);
    expect(metrics.entropy).to.be.closeTo(Math.log(14), 1e-12);
    expect(metrics.entropyEstimate).to.be.closeTo(Math.log(14), 1e-12);
    expect(metrics.logpGap).to.be.below(1e-12);
  });

  it("asks for the reference policy only when some component reads it", async () => {
    const run = tabularRun(folder, { composition: gateOnly() });
    let scored = 0;
    const { score } = run.policy;
    run.policy.score = (...given) => {
      scored++;
      return score.apply(run.policy, given);
    };
    await trainingStep(run, 0);
    expect(scored).to.equal(0);
  });

  it("asks for the policy columns that a term reads after the update", async () => {
    const watching = { ...place(WatchingObjective), coefficient: 1 };
    const run = tabularRun(folder, { composition: grpo({ terms: [watching] }) });
    await trainingStep(run, 0);
    expect((run.states.get(watching) as Seen).entropy).to.be.closeTo(Math.log(14), 1e-12);
  });

  it("keeps groups whole when it splits a batch into mini-batches", async () => {
    const composition = { ...gateOnly(), rewards: [{ ...place(EvenReward), weight: 1, inner: [] }] };
    const run = tabularRun(folder, { composition, settings: { trainer: { epochs: 2, miniBatches: 3 } } });
    const groups: string[][] = [];
    const { update } = run.policy;
    run.policy.update = (request) => {
      groups.push([...new Set(request.batch.strings("promptId"))]);
      expect(request.batch.rows % 8).to.equal(0);
      return update.call(run.policy, request);
    };
    const { metrics } = await trainingStep(run, 0);
    expect(metrics.updates).to.equal(6);
    for (const pass of [groups.slice(0, 3), groups.slice(3)]) expect(new Set(pass.flat()).size).to.equal(4);
    expect(metrics.kl).to.be.above(0);
    expect(metrics.logpGap).to.be.below(1e-12);
  });

  it("hands a policy that takes several updates at once as many as it takes, with the same outcome", async () => {
    const calls: number[] = [];
    class Several extends TabularPolicy {
      readonly updatesPerRun = 4;
      async updateAll(requests: readonly UpdateRequest[]) {
        calls.push(requests.length);
        const results: UpdateResult[] = [];
        for (const request of requests) results.push(await this.update(request));
        return results;
      }
    }
    const composition = () => ({ ...gateOnly(), rewards: [{ ...place(EvenReward), weight: 1, inner: [] }] });
    const settings = { trainer: { epochs: 2, miniBatches: 3 } };
    const tokenizer = new CharTokenizer("0123456789+=");
    const outcomes = [];
    for (const policy of [new TabularPolicy({ tokenizer }), new Several({ tokenizer })]) {
      const { loss, gradNorm, kl, updates } = (await trainingStep(tabularRun(folder, { policy, composition: composition(), settings }), 0))
        .metrics;
      outcomes.push({ loss, gradNorm, kl, updates });
    }
    expect(calls).to.deep.equal([4, 2]);
    expect(outcomes[1]).to.deep.equal(outcomes[0]);
  });

  it("skips an update that is not finite, counts it and leaves the policy as it was", async () => {
    const terms = [{ ...place(SpoiltObjective), coefficient: 1 }];
    const run = tabularRun(folder, { composition: grpo({ terms }), settings: { optimizer: { learningRate: 0.1 } } });
    const probe = () =>
      run.policy.score([{ prompt: run.data.train.get(0).tokens, response: Int32Array.of(2) }], { outputs: ["logp"], temperature: 1 });
    await trainingStep(run, 0);
    const before = await probe();
    const { metrics } = await trainingStep(run, 1);
    expect(metrics).to.include({ updates: 1, skipped: 1 });
    expect(await probe()).to.deep.equal(before);
    await trainingStep(run, 2);
    expect(await probe()).to.not.deep.equal(before);
    expect(run.states.get(run.composition.terms[0]!)).to.deep.equal({ version: 1, seen: 2 });
  });
});

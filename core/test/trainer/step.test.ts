import { rmSync } from "node:fs";
import { expect } from "chai";
import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  CharTokenizer,
  type Context,
  type DecodeRequest,
  type EstimateResult,
  type GenerateRequest,
  IndependentSampler,
  type Objective,
  objective,
  PluginError,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type SampleContext,
  type SampleResult,
  type Sampler,
  type ScoreOptions,
  type ScoreResult,
  type ScoreRow,
  type State,
  type StepContext,
  type StepExpressions,
  sampler,
  TabularPolicy,
  type Trajectory,
  trainingStep,
  type UpdateOutcome,
  type UpdateRequest,
  type UpdateResult,
} from "../../src/index.js";
import { Meter, makeGenerate } from "../../src/trainer/rollout.js";
import { grpo, place, tabularRun, temporaryFolder } from "../doubles/runs.js";

/** 1 for a completion that ends by itself, null for one that is cut. */
@rewardModel({ id: "ended", reads: ["truncated"] })
class EndedReward implements RewardModel {
  score(batch: Batch): RewardResult {
    const truncated = batch.f64("truncated");
    return { rewards: [...truncated].map((cut) => (cut ? null : 1)), components: { cut: truncated } };
  }
}

/** 1 when the first token is even, else 0. */
@rewardModel({ id: "even", reads: ["tokens"] })
class EvenReward implements RewardModel {
  score(batch: Batch): RewardResult {
    return { rewards: Float64Array.from({ length: batch.rows }, (_, row) => 1 - (batch.tokensOf("tokens", row)[0]! % 2)) };
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
  const gateOnly = () => grpo({ terms: grpo().terms.slice(0, 1) });

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

  it("names noise by seed, step, prompt and key, whatever else is decoded beside it", async () => {
    const draw = async (step: number, requests: (prompt: GenerateRequest["prompt"]) => GenerateRequest[]): Promise<Trajectory[]> => {
      let drawn: Trajectory[] = [];
      @sampler({ id: "probe" })
      class Probe implements Sampler {
        async collect({ prompts, generate, score }: SampleContext): Promise<SampleResult> {
          const prompt = prompts.get(0);
          drawn = await generate(requests(prompt));
          const groups = [{ prompt, trajectories: drawn }];
          return { groups, batch: await score(groups), state: { version: 0 }, metrics: {} };
        }
      }
      await trainingStep(
        tabularRun(folder, { composition: { ...gateOnly(), sampler: place(Probe) }, settings: { sampling: { maxTokens: 12 } } }),
        step,
      );
      return drawn;
    };
    const [a, b] = await draw(0, (prompt) => [
      { prompt, key: "a" },
      { prompt, key: "b" },
    ]);
    const [b2, , a2] = await draw(0, (prompt) => [{ prompt, key: "b" }, { prompt }, { prompt, key: "a" }]);
    const [later] = await draw(1, (prompt) => [{ prompt, key: "a" }]);
    const [first, second] = await draw(0, (prompt) => [{ prompt }, { prompt }]);
    expect(a2!.tokens).to.deep.equal(a!.tokens);
    expect(b2!.tokens).to.deep.equal(b!.tokens);
    for (const other of [b, later, first]) expect(other!.tokens).to.not.deep.equal(a!.tokens);
    expect(second!.tokens).to.not.deep.equal(first!.tokens);
  });

  it("does not train on a given prefix, and still conditions on it", async () => {
    const policy = new TabularPolicy();
    const { data } = tabularRun(folder);
    let drawn: Trajectory[] = [];
    @sampler({ id: "prefixed" })
    class Prefixed implements Sampler {
      async collect({ generate, score }: SampleContext): Promise<SampleResult> {
        const prompt = data.train.get(0);
        drawn = await generate([{ prompt, prefix: Int32Array.of(5, 6), maxTokens: 2 }]);
        const groups = [{ prompt, trajectories: drawn }];
        return { groups, batch: await score(groups), state: { version: 0 }, metrics: {} };
      }
    }
    await trainingStep(tabularRun(folder, { policy, data, composition: { ...gateOnly(), sampler: place(Prefixed) } }), 0);
    expect([...drawn[0]!.tokens.subarray(0, 2)]).to.deep.equal([5, 6]);
    expect([...drawn[0]!.mask.subarray(0, 3)]).to.deep.equal([0, 0, 1]);
    expect([...drawn[0]!.logp.subarray(0, 2)]).to.deep.equal([0, 0]);
  });

  it("lets the teacher score what the policy sampled, at the same temperature", async () => {
    let read: number[] = [];
    @advantageEstimator({ id: "reader", reads: ["teacherLogp"], writes: ["advantages"] })
    class Reader implements AdvantageEstimator {
      estimate(batch: Batch): EstimateResult {
        read = [...batch.f64("teacherLogp")];
        return { columns: { advantages: new Float64Array(batch.rows) } };
      }
    }
    const asked: (readonly ScoreRow[] | number)[] = [];
    class Teacher extends TabularPolicy {
      override async score(rows: readonly ScoreRow[], { temperature }: ScoreOptions): Promise<ScoreResult> {
        asked.push(rows, temperature);
        return { logp: Float64Array.from(rows.flatMap(({ response }) => [...response].map((token) => -1 - token))) };
      }
    }
    const settings = { sampling: { temperature: 0.7 } };
    const run = tabularRun(folder, { teacher: new Teacher(), composition: { ...gateOnly(), advantage: place(Reader) }, settings });
    const { sampled } = await trainingStep(run, 0);
    expect(asked).to.deep.equal([sampled.trajectories.map(({ prompt, tokens }) => ({ prompt: prompt.tokens, response: tokens })), 0.7]);
    expect(read).to.deep.equal([...sampled.i32("tokens")].map((token) => -1 - token));
    await run.close();
    expect((run.teacher as Teacher).closed).to.equal(true);
  });

  it("gives the gradient of the summed log-likelihood: one minus the probability at a sampled logit, masked tokens left out", async () => {
    let gradient: Readonly<Record<string, Float32Array>> = {};
    @advantageEstimator({ id: "curious", requires: ["likelihoodGradient"], writes: ["advantages"] })
    class Curious implements AdvantageEstimator {
      async estimate(batch: Batch, { services }: StepContext): Promise<EstimateResult> {
        const one = batch.select([0]);
        gradient = await services.likelihoodGradient(one.with({ mask: Float64Array.from(one.i32("tokens"), (_, t) => (t === 0 ? 1 : 0)) }));
        return { columns: { advantages: new Float64Array(batch.rows) } };
      }
    }
    const run = tabularRun(folder, { composition: { ...gateOnly(), advantage: place(Curious) } });
    const { sampled } = await trainingStep(run, 0);
    const { prompt, tokens } = sampled.trajectories[0]!;
    const V = run.policy.info.vocabularySize;
    const cell = gradient[`${prompt.tokens.join(",")}@0`]!;
    expect(cell[tokens[0]!]).to.be.closeTo(1 - 1 / V, 1e-6);
    const others = Object.entries(gradient).filter(([name]) => name !== `${prompt.tokens.join(",")}@0`);
    expect(others.flatMap(([, values]) => [...values]).filter((x) => x !== 0)).to.deep.equal([]);
  });

  it("decodes greedily what the sampler asks for greedily", async () => {
    const asked: (boolean | undefined)[] = [];
    class Watching extends TabularPolicy {
      override async decode(requests: readonly DecodeRequest[]) {
        asked.push(...requests.map(({ greedy }) => greedy));
        return super.decode(requests);
      }
    }
    const tokenizer = new CharTokenizer("0123456789+=");
    const run = tabularRun(folder, { policy: new Watching({ tokenizer }) });
    await makeGenerate(run, 0)([{ prompt: run.data.train.get(0), greedy: true }, { prompt: run.data.train.get(0) }]);
    expect(asked).to.deep.equal([true, undefined]);
  });

  it("charges a sampler for what it draws, kept or not, without the prefixes that were given", async () => {
    const run = tabularRun(folder, {});
    const meter = new Meter(run.policy);
    const prompt = run.data.train.get(0);
    const drawn = await makeGenerate(run, 0, meter.policy)([{ prompt }, { prompt, prefix: Int32Array.of(5, 6) }]);
    expect(meter.responses).to.equal(2);
    expect(meter.tokens).to.equal(drawn[0]!.tokens.length + drawn[1]!.tokens.length - 2);
  });

  it("ends responses at the stop strings of the run and of their request", async () => {
    const run = tabularRun(folder, { settings: { sampling: { maxTokens: 40, stopStrings: ["+", "="] } } });
    const prompt = run.data.train.get(0);
    const ends = async (count: number, stopStrings?: string[]) => {
      const drawn = await makeGenerate(run, 0)(Array.from({ length: count }, () => ({ prompt, stopStrings })));
      return [
        ...new Set(drawn.filter(({ tokens, finish }) => finish === "stop" && tokens.at(-1) !== 0).map(({ text }) => text.at(-1)!)),
      ].sort();
    };
    expect(await ends(30)).to.deep.equal(["+", "="]);
    expect(await ends(60, ["7"])).to.deep.equal(["+", "7", "="]);
  });

  it("asks the policy for whole responses: a prefix and what may follow it, by default what it leaves of the run's longest", async () => {
    const asked: number[] = [];
    class Watching extends TabularPolicy {
      override async decode(requests: readonly DecodeRequest[]) {
        asked.push(...requests.map(({ maxTokens }) => maxTokens));
        return super.decode(requests);
      }
    }
    const tokenizer = new CharTokenizer("0123456789+=");
    const run = tabularRun(folder, { policy: new Watching({ tokenizer }) });
    const prompt = run.data.train.get(0);
    const prefix = Int32Array.of(5, 6);
    const drawn = await makeGenerate(
      run,
      0,
    )([
      { prompt, prefix, maxTokens: 2 },
      { prompt, prefix },
      { prompt, prefix: Int32Array.of(5, 6, 7, 8) },
      { prompt, maxTokens: 1 },
    ]);
    expect(asked).to.deep.equal([4, 3, 4, 1]);
    expect(drawn[2]!.tokens).to.have.length(4);
  });

  it("hands components an engine's infinite log-probs as -1e4", async () => {
    class Infinite extends TabularPolicy {
      override async decode(requests: readonly DecodeRequest[]) {
        const decoded = await super.decode(requests);
        return decoded.map((result) => ({ ...result, logp: result.logp.map(() => Number.NEGATIVE_INFINITY) }));
      }
      override async score(rows: readonly ScoreRow[], options: ScoreOptions): Promise<ScoreResult> {
        const scored = await super.score(rows, options);
        return options.snapshot === undefined ? scored : { ...scored, logp: scored.logp!.map(() => Number.NEGATIVE_INFINITY) };
      }
    }
    const tokenizer = new CharTokenizer("0123456789+=");
    const run = tabularRun(folder, { policy: new Infinite({ tokenizer }) });
    await run.policy.snapshot("reference");
    const { trained, metrics } = await trainingStep(run, 0);
    for (const name of ["oldLogp", "refLogp"]) expect(new Set(trained.f64(name))).to.deep.equal(new Set([-1e4]));
    expect(metrics.skipped).to.equal(0);
  });

  it("knows as many candidates a token as the estimator reads", async () => {
    @advantageEstimator({ id: "candidates", reads: ["candidateProbs"], writes: ["advantages"] })
    class Candidates implements AdvantageEstimator {
      readonly candidates = 7;
      estimate(batch: Batch): EstimateResult {
        return { columns: { advantages: new Float64Array(batch.rows).fill(batch.f64("candidateProbs").length / batch.tokens) } };
      }
    }
    const run = tabularRun(folder, { composition: { ...gateOnly(), advantage: place(Candidates) } });
    const { trained } = await trainingStep(run, 0);
    expect(new Set(trained.f64("advantages"))).to.deep.equal(new Set([7]));
  });

  it("gives a component only the services that it asks for", () => {
    const run = tabularRun(folder);
    const services = run.servicesOf(place(IndependentSampler));
    expect(() => services.scoreTokens).to.throw(PluginError, "scoreTokens");
  });
});

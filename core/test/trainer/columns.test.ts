import { rmSync } from "node:fs";
import { expect } from "chai";
import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  CharTokenizer,
  type DecodeRequest,
  type EstimateResult,
  IndependentSampler,
  PluginError,
  type ScoreOptions,
  type ScoreResult,
  type ScoreRow,
  type StepContext,
  TabularPolicy,
  trainingStep,
} from "../../src/index.js";
import { gateOnly, place, tabularRun, temporaryFolder } from "../doubles/runs.js";

describe("what a training step hands its components", () => {
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true }));

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

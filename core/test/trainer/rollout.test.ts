import { rmSync } from "node:fs";
import { expect } from "chai";
import {
  CharTokenizer,
  type DecodeOptions,
  type DecodeRequest,
  type GenerateRequest,
  type SampleContext,
  type SampleResult,
  type Sampler,
  sampler,
  TabularPolicy,
  type Trajectory,
  trainingStep,
} from "../../src/index.js";
import { Meter, makeGenerate } from "../../src/trainer/rollout.js";
import { gateOnly, place, tabularRun, temporaryFolder } from "../doubles/runs.js";

describe("what a sampler generates", () => {
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true }));

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

  it("says which calls go on from each other, with another name in every step", async () => {
    const asked: (DecodeOptions | undefined)[] = [];
    const policy = new TabularPolicy();
    const decode = policy.decode.bind(policy);
    policy.decode = (requests, options?: DecodeOptions) => {
      asked.push(options);
      return decode(requests);
    };
    @sampler({ id: "continued" })
    class Continued implements Sampler {
      async collect({ prompts, generate, score }: SampleContext): Promise<SampleResult> {
        const prompt = prompts.get(0);
        const [begun] = await generate([{ prompt, maxTokens: 2 }], { continued: true });
        const trajectories = await generate([{ prompt, prefix: begun!.tokens, maxTokens: 2 }], { continued: "last" });
        await generate([{ prompt }]);
        const groups = [{ prompt, trajectories }];
        return { groups, batch: await score(groups), state: { version: 0 }, metrics: {} };
      }
    }
    const run = tabularRun(folder, { policy, composition: { ...gateOnly(), sampler: place(Continued) } });
    for (const step of [0, 1]) await trainingStep(run, step);
    const [first, last, alone, next] = asked;
    expect(first!.keep).to.be.a("string");
    expect([first!.last, last, alone?.keep]).to.deep.equal([false, { keep: first!.keep, last: true }, undefined]);
    expect(next!.keep).to.not.equal(first!.keep);
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
});

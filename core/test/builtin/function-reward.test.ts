import { rmSync } from "node:fs";
import { expect } from "chai";
import { FunctionReward, PluginError, type RewardFunction, type RewardSample, trainingStep, UsageError } from "../../src/index.js";
import { hostServices } from "../../src/trainer/services.js";
import { gateOnly, place, tabularRun, temporaryFolder } from "../doubles/runs.js";

describe("a reward that is a function of the calling program", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const stepWith = (rewards: Record<string, RewardFunction>, options: { function?: string; concurrency?: number } = {}) => {
    const reward = { ...place(FunctionReward, { function: "own", ...options }), weight: 1, inner: [] };
    const services = hostServices({ rewards });
    return trainingStep(tabularRun(root, { composition: { ...gateOnly(), rewards: [reward] }, services }), 0);
  };

  it("gets prompt, completion, answers and record of every response; null leaves the response out", async () => {
    const samples: RewardSample[] = [];
    const { sampled, metrics } = await stepWith({
      own: (sample) => {
        samples.push(sample);
        return sample.truncated ? null : 1;
      },
    });
    expect(samples.map(({ completion }) => completion)).to.deep.equal(sampled.strings("completions"));
    const [first] = samples;
    expect(first!.prompt).to.match(/^\d\+1=$/);
    expect(first!.record).to.include({ prompt: first!.prompt, answer: first!.answers[0] });
    expect(metrics.unverifiable)
      .to.equal(samples.filter(({ truncated }) => truncated).length)
      .and.above(0);
  });

  it("is waited for at most `concurrency` times at once, and its answers stay with their responses", async () => {
    let [running, most] = [0, 0];
    const { sampled } = await stepWith(
      {
        own: async ({ completion }) => {
          most = Math.max(most, ++running);
          await new Promise((done) => setTimeout(done, (5 * completion.length) % 7));
          running--;
          return completion.length;
        },
      },
      { concurrency: 3 },
    );
    expect(most).to.equal(3);
    expect([...sampled.f64("rewards")]).to.deep.equal(sampled.strings("completions").map((text) => text.length));
  });

  const mistakes: [
    what: string,
    rewards: Record<string, RewardFunction>,
    error: typeof UsageError | typeof PluginError,
    message: RegExp,
  ][] = [
    ["a name that was not handed over", { won: () => 1 }, UsageError, /names the reward function "own", which was not handed over/],
    ["a function that returns no number", { own: () => "1" as unknown as number }, PluginError, /"own" returned string/],
  ];
  for (const [what, rewards, type, message] of mistakes) {
    it(`stops the run at ${what}`, async () => {
      const error = await stepWith(rewards).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(type).with.property("message").that.match(message);
    });
  }
});

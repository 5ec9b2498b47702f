import { Batch, instantiate, type Options, type Prompt, Random, type Services, type Trajectory } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { ProgrpoAdvantage } from "../src/advantage.js";
import { lowProbabilityConfidence } from "../src/confidence.js";
import conformance from "../src/conformance.js";

testVectors(new URL("../../vectors/progrpo.json", import.meta.url), conformance);

describe("ProGRPO's confidence", () => {
  const cases: [promise: string, logp: number[], lowFraction: number, mean: number][] = [
    ["is that of the least likely fifth of the tokens", [-0.1, -3, -0.2, -0.1, -0.3], 0.2, -3],
    ["rounds the number of tokens up", [-0.1, -3, -1, -0.1, -0.3, -0.2], 0.2, -2],
    ["takes at least one token", [-0.5], 0.2, -0.5],
    ["does not round up what is whole", new Array<number>(10).fill(-1).with(0, -4).with(1, -2).with(2, -3), 0.1 + 0.2, -3],
    ["is the inverse perplexity of all tokens at 1", [-1, -2, -3], 1, -2],
    ["is 1 for an empty sequence", [], 0.2, 0],
  ];
  for (const [promise, logp, lowFraction, mean] of cases) {
    it(promise, () => expect(lowProbabilityConfidence(logp, lowFraction)).to.be.closeTo(Math.exp(mean), 1e-15));
  }
});

describe("ProGRPO's rule", () => {
  const outcome = (options: Options, rewards: number[]) => {
    const logp = rewards.map((_, i) => [-0.1 * (i + 1)]);
    const result = conformance.advantage!({ stdEps: 1e-9, ...options }, { rewards, oldLogp: logp, promptLogp: rewards.map(() => [-1]) });
    return (result as { advantages: number[] }).advantages;
  };
  const arm = (i: number) => 0.3 * (Math.exp(-1) - Math.exp(-0.1 * (i + 1)));
  const cases: [promise: string, options: Options, rewards: number[], advantages: number[]][] = [
    ["is off without a correct response", {}, [0, 0], [0, 0]],
    ["is off where the rewards sum to 0", {}, [1, -1], [1, -1]],
    ["gives a solved group a signal", {}, [1, 1], [arm(0), arm(1)]],
    ["does not with skipUnanimous", { skipUnanimous: true }, [1, 1], [0, 0]],
    ["reaches wrong responses too", {}, [1, 0], [1 + arm(0), -1 + arm(1)]],
    ["does not with correctOnly", { correctOnly: true }, [1, 0], [1 + arm(0), -1]],
    ["is all that a group of one has", {}, [1], [arm(0)]],
    ["is nothing for a failed group of one", {}, [0], [0]],
    ["vanishes with alpha", { alpha: 0 }, [1, 0], [1, -1]],
  ];
  for (const [promise, options, rewards, advantages] of cases) {
    it(promise, () => {
      outcome(options, rewards).forEach((a, i) => {
        expect(a).to.be.closeTo(advantages[i]!, 1e-8);
      });
    });
  }
});

describe("ProGRPO in a run", () => {
  const prompt = (id: string, tokens: number[]): Prompt => ({ id, text: id, tokens: Int32Array.from(tokens), golds: [], fields: {} });
  const trajectory = (of: Prompt, logp: number[], mask = logp.map(() => 1)): Trajectory => ({
    prompt: of,
    tokens: Int32Array.from(logp, (_, t) => t),
    mask: Uint8Array.from(mask),
    logp: Float64Array.from(logp),
    text: "",
    finish: "stop",
    temperature: 1,
  });

  it("scores each prompt once, without its first token, and reads only the policy's own tokens", async () => {
    const [a, b] = [prompt("a", [5, 6, 7]), prompt("b", [8])];
    const groups = [
      { prompt: a, trajectories: [trajectory(a, [-1, Number.NaN, -0.2], [1, 0, 1]), trajectory(a, [])] },
      { prompt: b, trajectories: [trajectory(b, [-2])] },
    ];
    const asked: number[][][] = [];
    const scoreTokens: Services["scoreTokens"] = async (_, { prompts, responses } = {}) => {
      asked.push([...prompts!, ...responses!].map((tokens) => [...tokens]));
      return Float64Array.of(-0.5, -1.5);
    };
    const { columns, metrics } = await instantiate(ProgrpoAdvantage).estimate(Batch.fromGroups(groups).with({ rewards: [1, 0, 1] }), {
      step: 0,
      state: { version: 1 },
      services: { scoreTokens } as Services,
      random: new Random(0),
    });
    expect(asked).to.deep.equal([[[5], [6, 7]]]);
    expect([...(columns.promptConfidence as Float64Array)]).to.deep.equal([Math.exp(-1.5), Math.exp(-1.5), 1]);
    expect([...(columns.answerConfidence as Float64Array)]).to.deep.equal([Math.exp(-1), 1, Math.exp(-2)]);
    expect(metrics).to.include({ correctNegative: 0 });
  });
});

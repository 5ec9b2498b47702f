import { Batch, instantiate, Random, runAdvantage, type Services } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { boxedAnswer, finalText } from "../src/answers.js";
import conformance from "../src/conformance.js";
import { EvolReward, VotingAdvantage } from "../src/index.js";
import { majorityOf, noveltyRewards } from "../src/novelty.js";

testVectors(new URL("../../vectors/evol-rl.json", import.meta.url), conformance);

describe("EVOL-RL", () => {
  const special: [title: string, answers: (string | null)[], rewards: number[]][] = [
    ["a lone valid response is right", ["7"], [1]],
    ["a lone invalid response gets 0", [null], [0]],
    ["all invalid: all -1", [null, null], [-1, -1]],
    ["one valid among invalid: all -1", ["7", null, null], [-1, -1, -1]],
    ["lone members of both classes", ["7", "7", "3"], [0.75, 0.75, -0.5]],
  ];
  for (const [title, answers, rewards] of special) {
    it(title, () =>
      expect(
        noveltyRewards(
          answers,
          answers.map(() => [1, 0]),
          0.5,
        ),
      ).to.deep.equal(rewards),
    );
  }

  it("elects the first seen of equally frequent answers", () => expect(majorityOf([null, "b", "a", "a", "b"])).to.equal("b"));

  it("ranks every majority reward above every other", () => {
    const random = new Random(5);
    for (let trial = 0; trial < 50; trial++) {
      const answers = Array.from({ length: 8 }, () => (random.uniform() < 0.2 ? null : `${random.integer(3)}`));
      const rewards = noveltyRewards(
        answers,
        answers.map(() => [random.normal(), random.normal(), random.normal()]),
        0.5,
      );
      const majority = majorityOf(answers);
      const right = rewards.filter((r, i) => answers[i] === majority && r !== -1);
      const wrong = rewards.filter((_, i) => answers[i] !== majority);
      expect(Math.min(...right, 1)).to.be.above(Math.max(...wrong, -1));
    }
  });

  const boxes: [text: string, answer: string | null][] = [
    ["so \\boxed{12}", "12"],
    ["\\boxed{\\frac{1}{2}} and \\boxed{none}", "\\frac{1}{2}"],
    ["\\boxed{12", null],
    ["nothing", null],
  ];
  for (const [text, answer] of boxes) it(`reads "${text}" as ${answer}`, () => expect(boxedAnswer(text, true)).to.equal(answer));

  it("looks after the first end of thought", () => expect(finalText("a</think>b</think>c")).to.equal("b</think>c"));

  it("scores real completions through the embedding service", async () => {
    const completions = ["\\boxed{4}", "\\boxed{4}", "\\boxed{5}"];
    const batch = new Batch({ lengths: [1, 1, 1], group: [0, 0, 0] }).with({ completions });
    const services = { embed: async (texts: readonly string[]) => texts.map((_, i) => [1, i]) } as Partial<Services> as Services;
    const { rewards } = await instantiate(EvolReward).score(batch, { step: 0, state: { version: 1 }, services, random: new Random(0) });
    expect(Array.from(rewards as Float64Array)[2]).to.equal(-0.5);
  });

  it("trains on the first nTrain responses only", async () => {
    const outcome = await runAdvantage(VotingAdvantage, { nTrain: 2 }, { rewards: [1, 0, -1], group: [0, 0, 0] });
    expect(outcome.keep).to.deep.equal([1, 1, 0]);
    expect((outcome.advantages as number[])[2]).to.equal(0);
  });
});

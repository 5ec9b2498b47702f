import { rmSync } from "node:fs";
import { expect } from "chai";
import { evaluatePrompts, IndependentSampler, type Prompt, type PromptSource, passAtK, sampler, summarize } from "../../src/index.js";
import { grpo, place, tabularRun, temporaryFolder } from "../doubles/runs.js";

describe("pass@k", () => {
  const table: [n: number, c: number, k: number, expected: number][] = [
    [1, 0, 1, 0],
    [1, 1, 1, 1],
    [4, 1, 1, 0.25],
    [4, 1, 2, 0.5],
    [4, 2, 2, 5 / 6],
    [4, 3, 2, 1],
    [10, 3, 5, 1 - (7 * 6 * 5 * 4 * 3) / (10 * 9 * 8 * 7 * 6)],
  ];
  for (const [n, c, k, expected] of table) {
    it(`of ${c} right among ${n}, k = ${k}, is ${expected.toFixed(4)}`, () => expect(passAtK(n, c, k)).to.be.closeTo(expected, 1e-12));
  }
});

describe("an evaluation", () => {
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true }));

  it("gives the same answers for the same policy, whatever was sampled before", async () => {
    const settings = { limit: 5, greedy: false, samples: 4 };
    const run = tabularRun(folder);
    const { prompts } = run.data.train;
    const texts = async () => (await evaluatePrompts(run, prompts, settings)).map(({ responses }) => responses.map(({ text }) => text));
    const first = await texts();
    await run.policy.decode([{ prompt: prompts[0]!.tokens, key: 7, maxTokens: 3, temperature: 1 }]);
    expect(await texts()).to.deep.equal(first);
    expect(first[0]).to.have.length(4);
  });

  it("shows the policy what the sampler makes of a prompt", async () => {
    @sampler({ id: "framing" })
    class Framing extends IndependentSampler {
      constructor() {
        super({ groupSize: 1, promptsPerStep: 1, shuffle: false });
      }
      evaluationPrompt(prompt: Prompt, { prompts }: { prompts: Pick<PromptSource, "derive"> }): Prompt {
        return prompts.derive(prompt, `1+${prompt.text}`);
      }
    }
    const run = tabularRun(folder, { composition: { ...grpo(), sampler: place(Framing) } });
    const [problem] = await evaluatePrompts(run, run.data.train.prompts, { limit: 1, greedy: true, samples: 1 });
    expect(problem!.responses[0]!.prompt.text).to.equal(`1+${problem!.prompt.text}`);
  });

  it("reports accuracy, pass@k, length and truncated share", async () => {
    const run = tabularRun(folder);
    const problems = await evaluatePrompts(run, run.data.train.prompts, { limit: 3, greedy: false, samples: 4 });
    const marked = problems.map((problem, i) => ({
      ...problem,
      correct: [
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      ][i]!,
    }));
    const metrics = summarize(marked);
    expect(metrics).to.include({ problems: 3, accuracy: 0.375, "pass@1": 0.375, "pass@4": 1 });
    expect(metrics["pass@2"]).to.be.closeTo((0.5 + 5 / 6) / 2, 1e-12);
    expect(metrics["maj@4"]).to.be.within(0, 1);
    expect(Object.keys(metrics)).not.to.include("maj@2");
  });
});

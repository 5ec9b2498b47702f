import { fileURLToPath } from "node:url";
import { dryRun } from "@proximal/core";
import { expect } from "chai";

const quickstart = fileURLToPath(new URL("../../examples/quickstart.yaml", import.meta.url));

describe("a dry run", () => {
  it("proves that a config works: rewards tell answers from samples, the gate moves the gradient, masks line up", async () => {
    const { problems, rewards, terms, shrunk, trainedRows, sampledRows, unread, example, estimate } = await dryRun(quickstart, {
      set: ["regularizers=[{ use: kl, coefficient: 0.1 }]"],
    });
    expect(problems).to.deep.equal([]);
    expect(shrunk).to.deep.equal(["sampler.groupSize=4", "sampler.promptsPerStep=4"]);
    expect([sampledRows, trainedRows]).to.deep.equal([32, 32]);
    expect(rewards[0]).to.deep.include({ name: "exact-match", answers: { low: 1, high: 1 } });
    expect(terms.map(({ name }) => name)).to.deep.equal(["clip", "kl"]);
    expect(terms[0]!.gradient).to.be.greaterThan(0.01);
    // At the second step the policy has left the reference.
    expect(terms[1]!.gradient).to.be.greaterThan(0);
    expect(unread.fields).to.include("level");
    expect(example.stopped).to.equal(true);
    expect(example.tokens.every(({ trained }) => trained)).to.equal(true);
    expect(example.prompt).to.match(/^\d+\+\d+=$/);
    expect(estimate!.parameters).to.deep.equal({ all: 805_760, trained: 805_760 });
    expect(estimate!.secondsPerStep).to.be.greaterThan(0);
    // Parameters, gradient and two moments, and the reference.
    expect(estimate!.bytes).to.equal(805_760 * 5 * 4);
  }).timeout(240_000);

  const broken: [title: string, set: string[], problem: RegExp][] = [
    [
      "a reward that knows another format",
      ["rewards=[{ use: format, pattern: '<answer>\\d+</answer>' }]"],
      /reward "format" is 0 for accepted answers and random text alike/,
    ],
    [
      "a column that is filled and never read",
      ["data.columns={ domain: level }"],
      /the column "domain", filled from the field "level", was not read/,
    ],
    ["a term that has no gradient", ["regularizers=[{ use: entropy, coefficient: 0 }]"], /"entropy" did not move the gradient/],
  ];
  for (const [title, set, problem] of broken) {
    it(`finds ${title}`, async () => {
      const { problems } = await dryRun(quickstart, { set, measure: false });
      expect(problems.join("\n")).to.match(problem);
    }).timeout(240_000);
  }

  it("says which options no code asked for", async () => {
    const { unread } = await dryRun(quickstart, { measure: false });
    expect(unread.options).to.deep.equal(["advantage.groupOfOne"]);
  }).timeout(240_000);
});

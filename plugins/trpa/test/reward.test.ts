import { Batch, ConfigError, instantiate, type Options, type RewardResult } from "@proximal/core";
import { expect } from "chai";
import { PreferenceLevelReward } from "../src/index.js";

function score(completions: string[], golds: string[][], columns: Record<string, (number | null)[]> = {}, options: Options = {}) {
  const lengths = completions.map(() => 1);
  const specs = { parsed: { at: "row", dtype: "f64" } } as const;
  const batch = new Batch({ lengths, group: completions.map(() => 0) }).with({ completions, golds, ...columns }, specs);
  return instantiate(PreferenceLevelReward, options).score(batch) as RewardResult;
}
const reply = (answer: string) => `<think>so</think> <answer>${answer}</answer>`;

describe("TRPA's levels", () => {
  const cases: [promise: string, completion: string, golds: string[], level: number, reward: number | null][] = [
    ["a right answer in the right format", reply(" 42 "), ["42"], 1, 1],
    ["any of the accepted answers", reply("b"), ["a", "b"], 1, 1],
    ["a wrong answer", reply("41"), ["42"], 2, 0],
    ["an empty answer", reply("  "), ["42"], 3, 0],
    ["a right answer without the format", "42", ["42"], 4, 0],
    ["text after the answer", `${reply("42")} ok`, ["42"], 4, 0],
    ["nothing to compare with", reply("42"), [], 0, null],
    ["a wrong format, whatever is accepted", "42", [], 4, 0],
  ];
  for (const [promise, completion, golds, level, reward] of cases) {
    it(`${promise}: ${reward === null ? "unverifiable" : `level ${level}`}`, () => {
      const result = score([completion], [golds]);
      expect([result.columns!.preferenceLevel, result.rewards]).to.deep.equal([[level], [reward]]);
    });
  }

  it("take what other components say before the text", () => {
    const said = { format: [1, 1, null], parsed: [1, 0, null], correct: [1, 1, null] };
    const { columns } = score(["free text", reply("42"), reply("42")], [[], ["42"], ["42"]], said);
    expect(columns!.preferenceLevel).to.deep.equal([1, 3, 1]);
  });

  it("follow patterns of the config", () => {
    const options = { formatPattern: "^\\d+$", answerPattern: "^(\\d+)$" };
    expect(score(["42", "7", "x"], [["42"], ["42"], ["42"]], {}, options).columns!.preferenceLevel).to.deep.equal([1, 2, 4]);
    expect(() => score([], [], {}, { formatPattern: "(" })).to.throw(ConfigError, "no regular expression");
  });

  it("are counted", () => {
    const { metrics } = score([reply("42"), reply("1"), reply(""), "?"], [["42"], ["42"], ["42"], ["42"]]);
    expect(metrics).to.deep.equal({ right: 0.25, wrong: 0.25, unparsed: 0.25, malformed: 0.25 });
  });
});

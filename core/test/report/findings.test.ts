import { expect } from "chai";
import { findings } from "../../src/report/findings.js";

describe("the findings of a report", () => {
  const records = Array.from({ length: 10 }, (_, i) => ({
    step: i + 1,
    reward: i / 10,
    "reward.match": 0.5,
    "reward.<b>": i / 10,
    ...(i === 0 ? { "evalStart.accuracy": 0.5, "evalStart.length": 3 } : {}),
    ...(i === 9 ? { "eval.accuracy": 0.25, "eval.length": 7 } : {}),
  }));

  it("say what stands out, what drives the reward with its weight, and every evaluation", () => {
    const html = findings(records, { "<b>": 2 });
    expect(html).to.include("<b>The reward rises, the held-out accuracy falls</b>: held-out accuracy went from 50 % to 25 %");
    expect(html).to.include('<th scope="row">&lt;b&gt;</th><td>2</td><td>0.05</td><td>0.85</td><td>+1.6</td>');
    expect(html).to.include('<th scope="row">0</th><td>0.5</td><td>3</td>');
    expect(html).to.include('<th scope="row">10</th><td>0.25</td><td>7</td>');
    expect(html).not.to.include("reward.<b>");
  });

  it("are nothing where there is nothing to say", () => {
    expect(findings([], {})).to.equal("");
    expect(findings([{ step: 1, reward: 1, "eval.accuracy": 1 }], {})).to.equal("");
  });
});

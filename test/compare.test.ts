import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compareAlgorithms } from "@proximal/core";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("a comparison of published methods on the table task", function () {
  this.timeout(120000);
  const output = mkdtempSync(join(tmpdir(), "proximal-compare-"));
  after(() => rmSync(output, { recursive: true }));

  it("gives all the same budget: who draws more in a step gets fewer steps, who brings epochs keeps them", async () => {
    const comparison = await compareAlgorithms({
      algorithms: ["grpo", "dapo", "ppo", "examples/algorithms/sapo.yaml"],
      task: "table",
      seeds: 1,
      samples: 2,
      budget: 2000,
      output,
      cwd: root,
    });
    const [grpo, dapo, ppo, sapo] = comparison!.contenders.map(({ runs }) => runs[0]!);
    for (const { tokens } of [grpo!, dapo!, ppo!, sapo!]) expect(tokens).to.be.within(2000, 3500);
    expect(dapo!.steps).to.be.below(grpo!.steps);
    expect(ppo!.updates).to.equal(4 * ppo!.steps);
    expect(comparison!.contenders[2]!.differences[0]).to.equal("1 response to each of 64 prompts a step");
    expect(comparison!.contenders[3]!.name).to.equal("sapo");
  });
});

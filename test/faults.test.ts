import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { trainWithKills } from "./kills.js";

describe("a run that is killed without warning", function () {
  this.timeout(600000);
  it("ends with the same metrics, events, rollouts, best checkpoint and model as one that is not", async () => {
    const folder = mkdtempSync(join(tmpdir(), "proximal-kills-"));
    const { kills, different } = await trainWithKills(folder, 3);
    expect(kills).to.be.above(0);
    expect(different).to.deep.equal([]);
    rmSync(folder, { recursive: true });
  });
});

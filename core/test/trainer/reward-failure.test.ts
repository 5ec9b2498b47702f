import { rmSync } from "node:fs";
import { expect } from "chai";
import { type Batch, PluginError, type RewardFailure, trainingStep } from "../../src/index.js";
import { grpo, tabularRun, temporaryFolder } from "../doubles/runs.js";

describe("a reward model that fails", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Does what `outcomes` say, one a call: works, throws, or never answers. */
  const stepWith = (failure: Partial<RewardFailure>, outcomes: readonly ("works" | "throws" | "hangs")[]) => {
    let calls = 0;
    const score = ({ rows }: Batch) => {
      const outcome = outcomes[calls++];
      if (outcome === "throws") throw new Error("the server is gone");
      if (outcome === "hangs") return new Promise<never>(() => {});
      return { rewards: Array.from({ length: rows }, (_, row) => row % 2) };
    };
    const { rewards, terms } = grpo();
    const full = { timeoutSeconds: null, retries: 0, onFailure: "stop", ...failure } as const;
    const composition = grpo({ terms: terms.slice(0, 1), rewards: [{ ...rewards[0]!, id: "judge", component: { score }, failure: full }] });
    return trainingStep(tabularRun(root, { composition }), 0);
  };

  it("stops the run by default", async () => {
    const error = await stepWith({}, ["throws"]).catch((thrown: unknown) => thrown);
    expect((error as Error).message).to.equal("the server is gone");
  });

  it("is told by its name when it takes too long", async () => {
    const error = await stepWith({ timeoutSeconds: 0.01 }, ["hangs"]).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(PluginError).with.property("message", 'the reward "judge" took longer than 0.01 s');
  });

  it("is asked again as often as the config allows", async () => {
    const { metrics } = await stepWith({ retries: 2, timeoutSeconds: 0.01 }, ["throws", "hangs", "works"]);
    expect(metrics).to.include({ unverifiable: 0, reward: 0.5 });
  });

  it("leaves its responses out of the update where the config says so, and is counted", async () => {
    const { metrics } = await stepWith({ onFailure: "unverifiable", retries: 1 }, ["throws", "throws", "works"]);
    expect(metrics).to.include({ "judge.failed": 32, unverifiable: 32, trainedRows: 0, updates: 0 });
    expect((await stepWith({ onFailure: "unverifiable" }, ["works"])).metrics).to.include({ "judge.failed": 0, unverifiable: 0 });
  });
});

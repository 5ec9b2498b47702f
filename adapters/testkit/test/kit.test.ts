import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type ComponentClass,
  type ComponentOptions,
  type Context,
  type EstimateResult,
  type Expr,
  input,
  PROMISES,
  type PromiseName,
  Random,
  type RewardModel,
  rewardModel,
  type State,
  type StepContext,
  type Term,
  type TrustRegionGate,
  Type,
  trustRegionGate,
} from "@proximal/core";
import { expect } from "chai";
import { FULL, type Outcome, pluginChecks, QUICK, runChecks } from "../src/index.js";

const outcomes = (component: ComponentClass, effort = QUICK): Promise<Outcome[]> =>
  runChecks(pluginChecks({ components: [component] }, { effort }));
const broken = async (component: ComponentClass): Promise<string[]> =>
  (await outcomes(component)).filter(({ passed }) => !passed).map(({ promise }) => promise);

function gate(terms: (context: Context) => Term, meta: Partial<ComponentOptions> = {}): ComponentClass {
  @trustRegionGate({ id: "broken", reads: ["logp", "oldLogp", "advantages"], ...meta })
  class Broken implements TrustRegionGate {
    terms = terms;
  }
  return Broken;
}

const surrogate = ({ ratio, advantages }: Context): Expr => ratio.mul(advantages).neg();

function advantage(estimate: (batch: Batch, context: StepContext) => EstimateResult, meta: Partial<ComponentOptions> = {}): ComponentClass {
  @advantageEstimator({ id: "broken", reads: ["rewards"], writes: ["advantages"], ...meta })
  class Broken implements AdvantageEstimator {
    estimate = estimate;
  }
  return Broken;
}

const rewardsOf = (batch: Batch): number[] => [...batch.f64("rewards")];

describe("the test kit", () => {
  it("finds nothing wrong with what is right", async () => {
    // What mixes all rows is executed in one piece, so that its own count is right.
    expect(await broken(gate((context) => ({ value: context.batchMean(surrogate(context)), aggregation: "scalar" })))).to.deep.equal([]);
    expect(await broken(gate((context) => ({ value: surrogate(context) })))).to.deep.equal([]);
    expect(await broken(advantage((batch) => ({ columns: { advantages: rewardsOf(batch) } })))).to.deep.equal([]);
  });

  let calls = 0;
  const cases: [defect: string, component: ComponentClass, promises: PromiseName[]][] = [
    [
      "a loss that depends on the place of a row",
      gate((context) => {
        const place = context.rowExists.cast("float").cumsum(0);
        return { value: surrogate(context).mul(place) };
      }),
      ["rowOrder", "microBatches"],
    ],
    [
      "an observation that is a mean of what is summed over micro-batches",
      gate((context) => ({ value: surrogate(context), observe: { meanRatio: context.batchMean(context.ratio) } })),
      ["microBatches"],
    ],
    ["a ratio that overflows", gate(({ logRatio, advantages }) => ({ value: logRatio.mul(20).exp().mul(advantages) })), ["extremes"]],
    [
      "a division by the variance of the advantages",
      gate((context) => {
        const size = context.batchMean(context.advantages.square());
        return { value: surrogate(context).div(size) };
      }),
      ["degenerate"],
    ],
    ["a column that it does not declare", gate((context) => ({ value: surrogate(context).mul(context.column("rewards")) })), ["reads"]],
    [
      "cancellation that float32 does not bear",
      gate((context) => ({ value: surrogate(context).add(1e6).sub(1e6) })),
      ["float32", "engine"],
    ],
    [
      "a value that is not masked",
      gate((context) => ({
        value: surrogate(context).mul(input("policy:logp", [context.dims.B, context.dims.T]).sum([0, 1], true).mul(0).add(1)),
        aggregation: "token-mean",
      })),
      ["padding", "maskedNaN"],
    ],
    [
      "an infinite advantage",
      advantage((batch) => ({ columns: { advantages: rewardsOf(batch).map((r) => r / 0) } })),
      ["degenerate", "extremes"],
    ],
    [
      "memory outside of the state",
      advantage((batch) => ({ columns: { advantages: rewardsOf(batch).map((r) => r + calls++) } })),
      ["deterministic", "state"],
    ],
    [
      "masked tokens that count",
      advantage(
        (batch) => ({
          columns: { advantages: rewardsOf(batch).map((r, row) => r + batch.tokensOf("oldLogp", row).reduce((a, b) => a + b, 0)) },
        }),
        { reads: ["rewards", "oldLogp"] },
      ),
      ["maskedNaN"],
    ],
    [
      "an infinite metric",
      advantage((batch) => ({ columns: { advantages: rewardsOf(batch) }, metrics: { share: 1 / 0 } })),
      ["metrics", "degenerate", "extremes"],
    ],
  ];
  for (const [defect, component, promises] of cases) {
    it(`finds ${defect}`, async () => {
      expect(await broken(component)).to.include.members(promises.map((name) => PROMISES[name]));
    });
  }

  it("finds a state that it forgets to hand on", async () => {
    @rewardModel({ id: "counting", reads: ["completions"] })
    class Counting implements RewardModel {
      private seen = 0;
      initialState = (): State & { seen: number } => ({ version: 1, seen: 0 });
      score(batch: Batch, { state }: StepContext<State & { seen: number }>) {
        this.seen += batch.rows;
        return { rewards: new Float64Array(batch.rows), state: { ...state, seen: this.seen } };
      }
    }
    expect(await broken(Counting)).to.include(PROMISES.state);
  });

  it("puts an option to the borders of its range", async () => {
    const options = Type.Object({ width: Type.Number({ default: 0.2, minimum: 0, maximum: 1 }) });
    @trustRegionGate({ id: "broken", options })
    class Divides implements TrustRegionGate {
      terms = (context: Context): Term => ({ value: surrogate(context) });
    }
    expect(await broken(Divides)).to.deep.equal([]);
  });

  it("warns of a column that is declared and never read", async () => {
    const found = await outcomes(
      gate((context) => ({ value: surrogate(context) }), { reads: ["logp", "oldLogp", "advantages", "rewards"] }),
    );
    expect(found.flatMap(({ warnings }) => warnings)).to.deep.equal(['it declares to read "rewards" and never does']);
  });

  it("takes a declared exception, and refuses one whose promise holds", async () => {
    const random = (batch: Batch) => ({ columns: { advantages: rewardsOf(batch).map((r, row) => r + row) } });
    expect(await broken(advantage(random, { exceptions: { rowOrder: "the first row leads" } }))).to.deep.equal([]);
    const idle = (batch: Batch) => ({ columns: { advantages: rewardsOf(batch) } });
    const found = (await outcomes(advantage(idle, { exceptions: { rowOrder: "none" } }), FULL)).filter(({ passed }) => !passed);
    expect(found.map(({ reason }) => reason)).to.match(/remove the exception/);
  });

  it("takes an estimator that draws at random for what it is", async () => {
    const drawn = (batch: Batch, { random }: StepContext) => ({
      columns: { advantages: rewardsOf(batch).map((r) => r + random.uniform()) },
    });
    expect(await broken(advantage(drawn))).to.deep.equal([]);
    const unseeded = (batch: Batch) => ({ columns: { advantages: rewardsOf(batch).map((r) => r + new Random(calls++).uniform()) } });
    expect(await broken(advantage(unseeded))).to.include(PROMISES.deterministic);
  });
});

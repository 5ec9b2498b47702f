import { Batch, ConfigError, type Inputs, instantiate, type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { type EntropyHistory, turnEntropies } from "../src/history.js";
import { EpoRegularizer } from "../src/regularizer.js";

testVectors(new URL("../../vectors/epo.json", import.meta.url), conformance);

const state: EntropyHistory = { version: 1, phases: 3, history: [1.1, 0.9, 0.6] };
for (const form of ["constant", "hinge"]) {
  for (const level of ["token", "sequence"]) {
    testTerms(`EpoRegularizer, ${form}, ${level}`, {
      component: EpoRegularizer,
      options: { form, level, startTurn: 2, entropyCoef: 0.5, outPenalty: 0.7 },
      state,
    });
  }
}

/**
 * One term with the band (0.8, 1.2) around 1 for the turns 0 and 1; `entropyCoef` 1 shows the gradient as it is. A row is a turn,
 * or an episode whose tokens know theirs.
 */
function term(
  entropy: number[][],
  turn: number[] | number[][] | undefined,
  options: Options = {},
  given: EntropyHistory = { ...state, history: [1, 1] },
) {
  const inputs: Inputs = { entropy, ...(turn === undefined ? {} : Array.isArray(turn[0]) ? { turnIndex: turn } : { turn }) };
  const all = { entropyCoef: 1, startTurn: 0, outPenalty: 0.1, ...options };
  const outcome = runTerms({ component: EpoRegularizer, options: all, state: given }, inputs);
  return { ...outcome, penalties: outcome.perToken["epo.tokenPenalties"]! };
}

describe("EPO's penalty", () => {
  it("is constant outside an open band, without a gradient of its own", () => {
    const { penalties, gradEntropy } = term([[0.79, 0.8, 0.81, 1.19, 1.2, 1.21]], [0]);
    expect(penalties).to.deep.equal([[0.1, 0.1, 0, 0, 0.1, 0.1]]);
    for (const g of gradEntropy[0]!) expect(g).to.be.closeTo(-1 / 6, 1e-15);
  });

  it("as a hinge pulls the entropy back into the band", () => {
    const { penalties, gradEntropy } = term([[0.5, 1, 1.7]], [0], { form: "hinge" });
    for (const [t, p] of [0.03, 0, 0.05].entries()) expect(penalties[0]![t]).to.be.closeTo(p, 1e-15);
    for (const [t, g] of [-1.1, -1, -0.9].entries()) expect(gradEntropy[0]![t]).to.be.closeTo(g / 3, 1e-15);
  });

  const active: [promise: string, turn: number[] | undefined, options: Options, given: EntropyHistory, penalty: number][] = [
    ["acts on all rows once one of them has startTurn", [0, 1], { startTurn: 1 }, { ...state, history: [1, 1] }, 0.1],
    ["is 0 before that", [0, 0], { startTurn: 1 }, { ...state, history: [1, 1] }, 0],
    ["starts at half of maxTurns by default", [0, 3], { startTurn: undefined, maxTurns: 6 }, { ...state, history: [1, 1] }, 0.1],
    ["is 0 before the first phase is recorded", [0, 1], {}, { version: 1, phases: 0, history: [0, 0] }, 0],
    ["takes h = 0 for padded turns: every entropy is outside", [0, 0], {}, { ...state, history: [0, 1] }, 0.1],
    ["takes h = 0 for turns beyond the history", [5, 5], {}, { ...state, history: [3, 3] }, 0.1],
    ["takes rows without a turn for turn 0", undefined, {}, { ...state, history: [1, 3] }, 0.1],
  ];
  for (const [promise, turn, options, given, penalty] of active) {
    it(promise, () => expect(term([[3], [3]], turn, options, given).penalties).to.deep.equal([[penalty], [penalty]]));
  }

  it("of an episode tests each token against the history of the turn in which it was written", () => {
    const history: EntropyHistory = { version: 1, phases: 1, history: [1, 2] };
    const { penalties } = term([[1, 2, 2, 1, 1]], [[0, 0, 1, 1, 2]], { maxTurns: 2 }, history);
    expect(penalties).to.deep.equal([[0, 0.1, 0, 0.1, 0.1]]);
  });

  it("of an episode by sequence tests the mean of each turn", () => {
    const history: EntropyHistory = { version: 1, phases: 1, history: [1, 2] };
    const { penalties, gradEntropy } = term(
      [[0, 2, 0, 2, 5], [1]],
      [[0, 0, 1, 1, 3], [1]],
      { level: "sequence", form: "hinge", maxTurns: 2 },
      history,
    );
    // Means 1, 1 and 5 of the first row, 1 of the second; bands 0.8 to 1.2, 1.6 to 2.4 and 0 to 0.
    const expected = [[0, 0, 0.06, 0.06, 0.5], [0.06]];
    expected.forEach((row, i) => {
      row.forEach((p, t) => {
        expect(penalties[i]![t]).to.be.closeTo(p, 1e-15);
      });
    });
    for (const [t, g] of [-1, -1, -1.1, -1.1, -0.9].entries()) expect(gradEntropy[0]![t]).to.be.closeTo(g / 6, 1e-15);
  });

  it("vanishes with entropyCoef", () => {
    expect(term([[3]], [0], { entropyCoef: 0 }).loss).to.be.closeTo(0, 1e-15);
  });

  it("is weighed by the phase of the step with usePhase", () => {
    const weight = (usePhase: boolean) =>
      instantiate(EpoRegularizer, { usePhase, maxEpochs: 10 }).stepValues(state, { step: 10 }).weight as number;
    expect(weight(false)).to.equal(1);
    expect(weight(true)).to.be.closeTo(0.8 * Math.exp(-3), 1e-15);
  });

  it("refuses an empty band", () => {
    expect(() => instantiate(EpoRegularizer, { minRatio: 1.2, maxRatio: 0.8 })).to.throw(ConfigError, /minRatio/);
  });
});

describe("EPO's history", () => {
  const batch = new Batch({ lengths: [2, 1, 0, 1], group: [0, 0, 1, 1] }).with({
    oldEntropy: [[1, 2], [6], [], [4]],
    mask: [[1, 1], [1], [], [1]],
    turn: [0, 0, 1, 2],
  });

  it("takes the mean over the tokens of a turn, 0 for a turn without any", () => {
    expect(turnEntropies(batch)).to.deep.equal([3, 0, 4]);
  });

  it("does not see observations, whatever they hold", () => {
    const observed = batch.with({ oldEntropy: [[1, Number.NaN], [6], [], [4]], mask: [[1, 0], [1], [], [1]] });
    expect(turnEntropies(observed)).to.deep.equal([3.5, 0, 4]);
  });

  it("takes the turns of episodes from their tokens", () => {
    const episodes = new Batch({ lengths: [4, 2], group: [0, 0] }).with({
      oldEntropy: [
        [1, 2, Number.NaN, 5],
        [4, 7],
      ],
      mask: [
        [1, 1, 0, 1],
        [1, 1],
      ],
      turnIndex: [
        [0, 0, 0, 1],
        [0, 1],
      ],
    });
    expect(turnEntropies(episodes)).to.deep.equal([7 / 3, 6]);
  });

  it("grows by one phase an update and goes on from a checkpoint", () => {
    const epo = instantiate(EpoRegularizer, { maxTurns: 4 });
    const update = (before: EntropyHistory) => epo.afterUpdate({ batch, state: before } as never);
    const once = update(epo.initialState());
    expect(once).to.deep.equal({ version: 1, phases: 1, history: [0, 3, 0, 4] });
    expect(update(JSON.parse(JSON.stringify(once)))).to.deep.equal({ version: 1, phases: 2, history: [0, 3, 0, 4] });
  });

  it("stays when nothing was trained on", () => {
    const empty = new Batch({ lengths: [], group: [] });
    expect(instantiate(EpoRegularizer).afterUpdate({ batch: empty, state } as never)).to.equal(state);
  });
});

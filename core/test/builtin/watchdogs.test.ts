import { expect } from "chai";
import { completeOptions, instantiate, metadataOf, type StepRecord, watchdogs } from "../../src/index.js";

/** `count` steps with the same values, or values by step. */
const steps = (count: number, of: StepRecord | ((i: number) => StepRecord)): StepRecord[] =>
  Array.from({ length: count }, (_, i) => ({ step: i + 1, ...(typeof of === "function" ? of(i) : of) }));

const KL = [0.02, 0.03, 0.02, 0.025];

/** Watchdog, what happens, the history, what it says; null = nothing. */
const cases: [string, string, readonly StepRecord[], RegExp | null][] = [
  ["non-finite", "a skipped update", steps(1, { updates: 4, skipped: 1 }), /1 of 4 updates skipped/],
  ["non-finite", "updates that were all made", steps(3, { updates: 4, skipped: 0 }), null],
  ["kl-jump", "KL twenty times its median", steps(5, (i) => ({ kl: KL[i] ?? 0.5 })), /jumped to 0.5 .* 0.0225/],
  ["kl-jump", "KL three times its median", steps(5, (i) => ({ kl: KL[i] ?? 0.075 })), null],
  ["kl-jump", "a large factor of next to nothing", steps(5, (i) => ({ kl: i < 4 ? 1e-6 : 1e-3 })), null],
  ["kl-jump", "no KL at all", steps(5, { kl: null }), null],
  ["entropy-collapse", "entropy of a twentieth", steps(12, (i) => ({ entropyEstimate: i < 6 ? 1 : 0.05, reward: 0.3 })), /5 % of what/],
  ["entropy-collapse", "entropy of a half", steps(12, (i) => ({ entropyEstimate: i < 6 ? 1 : 0.5, reward: 0.3 })), null],
  ["entropy-collapse", "low entropy where the task is solved", steps(12, (i) => ({ entropy: i < 6 ? 1 : 0.01, reward: 0.97 })), null],
  ["length-drift", "responses of three times the length", steps(25, (i) => ({ length: i < 12 ? 20 : 60 })), /60 tokens .* 20/],
  ["length-drift", "responses of a third of the length", steps(25, (i) => ({ length: i < 12 ? 60 : 20 })), /20 tokens .* 60/],
  ["length-drift", "responses that grow by half", steps(25, (i) => ({ length: i < 12 ? 20 : 30 })), null],
  ["zero-variance", "five steps without variance, no reward", steps(5, { fracZeroStd: 1, reward: 0 }), /too hard/],
  ["zero-variance", "five steps without variance, full reward", steps(5, { fracZeroStd: 0.97, reward: 1 }), /too easy/],
  ["zero-variance", "four steps without variance", steps(6, (i) => ({ fracZeroStd: i < 2 ? 0.5 : 1, reward: 0 })), null],
  [
    "reward-dominance",
    "one of two rewards that varies alone",
    steps(10, { "rewardShare.format": 0.99, "rewardShare.match": 0.01 }),
    /"format" gives 99 %/,
  ],
  ["reward-dominance", "two rewards that both vary", steps(10, { "rewardShare.format": 0.6, "rewardShare.match": 0.4 }), null],
  ["reward-dominance", "a single reward", steps(10, { "reward.match": 1 }), null],
  ["logp-gap", "a sampler that is off by a tenth of a nat", steps(1, { logpGap: 0.1, logpGapMax: 2 }), /0.1 nats on average, 2 at most/],
  ["logp-gap", "float32 noise", steps(1, { logpGap: 4e-7, logpGapMax: 6e-6 }), null],
  [
    "unchanged-weights",
    "an update that changed nothing",
    steps(1, { updates: 1, skipped: 0, gradNorm: 1, learningRate: 1e-5, weightsChanged: 0 }),
    /changed no parameter/,
  ],
  ["unchanged-weights", "an update", steps(1, { updates: 1, skipped: 0, gradNorm: 1, learningRate: 1e-5, weightsChanged: 1 }), null],
  [
    "unchanged-weights",
    "a skipped update",
    steps(1, { updates: 1, skipped: 1, gradNorm: null, learningRate: 1e-5, weightsChanged: 0 }),
    null,
  ],
  ["unchanged-weights", "an engine that cannot tell", steps(1, { updates: 1, skipped: 0, gradNorm: 1, learningRate: 1e-5 }), null],
  ["empty-batch", "three steps without a row", steps(3, { updates: 0 }), /3 steps in a row/],
  ["empty-batch", "two steps without a row", steps(3, (i) => ({ updates: i === 0 ? 1 : 0 })), null],
];

describe("the watchdog", () => {
  const byId = new Map(watchdogs.map((target) => [metadataOf(target).id, target]));
  for (const [id, what, history, expected] of cases) {
    it(`${id} ${expected === null ? "keeps quiet about" : "barks at"} ${what}`, () => {
      const target = byId.get(id)!;
      const message = instantiate(target, completeOptions(target, {})).check(history);
      if (expected === null) expect(message).to.equal(null);
      else expect(message).to.match(expected);
    });
  }

  it("is tried both ways in this file, whichever it is", () => {
    for (const id of byId.keys()) {
      expect(
        cases.some(([name, , , expected]) => name === id && expected !== null),
        id,
      ).to.equal(true);
      expect(
        cases.some(([name, , , expected]) => name === id && expected === null),
        id,
      ).to.equal(true);
    }
  });

  it("says nothing of a first step that is as usual", () => {
    const first = {
      step: 1,
      updates: 1,
      skipped: 0,
      kl: 0,
      entropyEstimate: 1,
      length: 3,
      fracZeroStd: 1,
      logpGap: 0,
      gradNorm: 1,
      reward: 0.2,
    };
    for (const [id, target] of byId) expect(instantiate(target, completeOptions(target, {})).check([first]), id).to.equal(null);
  });
});

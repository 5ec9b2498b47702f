import { expect } from "chai";
import { shrink, sparkline } from "../../src/cli/format.js";
import { panelLines } from "../../src/cli/panel.js";
import { progressView, stepLine } from "../../src/cli/progress.js";
import type { RunEvent } from "../../src/index.js";
import { duration } from "../../src/report/duration.js";

describe("the progress view", () => {
  const step = (over: Record<string, number | null> = {}): Extract<RunEvent, { type: "step" }> => ({
    type: "step",
    steps: 4,
    secondsLeft: 75,
    record: { step: 1, reward: 0.5, accuracy: 0.25, kl: 0, clipFraction: null, length: 3, tokensPerSecond: 1234.5, skipped: 0, ...over },
  });
  const summary = {
    formatVersion: 1,
    evalAccuracyStart: 0.25,
    evalAccuracyEnd: 0.75,
    rewardStart: 0.2,
    rewardEnd: 0.7,
    ended: "steps",
    bestStep: null,
    bestValue: null,
    lossStart: 0,
    lossEnd: 0,
    steps: 4,
    skippedUpdates: 0,
    seconds: 61,
    tokensPerSecond: 100,
    seed: 1,
  } as const;
  const show = (options: { json?: boolean; quiet?: boolean }, ...events: RunEvent[]): string => {
    let text = "";
    const stream = { isTTY: false, write: (part: string) => (text += part) } as unknown as NodeJS.WriteStream;
    const view = progressView({ ...options, stream });
    for (const event of events) view(event);
    return text;
  };

  it("puts a step on one line and leaves out what does not exist", () => {
    expect(stepLine(step(), 0.4)).to.equal(
      "███░░░░░░░░░ 1/4  reward 0.500  accuracy 25.0%  held-out 40.0%  KL 0.0000  length 3.0  tok/s 1235  1:15 left",
    );
  });

  it("shows skipped updates", () => {
    expect(stepLine(step({ skipped: 2, loss: null }))).to.include("skipped 2");
  });

  it("has a panel for terminals with curves, clip by side, and speed by phase", () => {
    const record = {
      ...{ tokens: 600, seconds: 6, secondsGenerate: 3, secondsUpdate: 2, secondsReward: 0.001, tokensPerSecond: 100, gradNorm: 1.5 },
      ...{
        kl: 0.0123,
        entropyEstimate: 0.5,
        clipFraction: 0.3,
        "clip.clipFractionHigh": 0.1,
        "clip.clipFractionLow": 0.2,
        truncated: 0.25,
      },
    };
    const lines = panelLines(step({ ...record, fracZeroStd: 0.5 }), { values: { reward: [0, 0.5, 1], accuracy: [0.25] }, heldOut: 0.4 });
    expect(lines).to.deep.equal([
      "███░░░░░░░░░ 1/4   1:15 left",
      "  reward    0.500    ▁▅█",
      "  accuracy  25.0%    ▁   held-out 40.0%",
      "  KL 0.0123   entropy 0.500   clipped 30.0% (10.0% above, 20.0% below)   gradient norm 1.500",
      "  length 3.0   cut at the limit 25.0%   groups without variance 50.0%",
      "  tokens/s 100   generate 200 (50% of the time)   update 300 (33% of the time)",
    ]);
  });

  it("has a panel of fewer lines for supervised training", () => {
    const { reward: _, accuracy: __, kl: ___, length: ____, clipFraction: _____, ...record } = step().record;
    const event = { ...step(), record: { ...record, loss: 0.5, gradNorm: 2 } };
    expect(panelLines(event, { values: { loss: [1, 0.5] }, heldOut: undefined })).to.deep.equal([
      "███░░░░░░░░░ 1/4   1:15 left",
      "  loss      0.5000   █▁",
      "  gradient norm 2.000",
      "  tokens/s 1235",
    ]);
  });

  it("draws a curve in one line, however many values it has", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)).to.equal("▁▂▃▄▅▆▇█");
    expect(
      sparkline(
        Array.from({ length: 1000 }, (_, i) => i),
        8,
      ),
    ).to.equal("▁▂▃▄▅▆▇█");
    expect(sparkline([2, 2], 8)).to.equal("▁▁");
    expect(sparkline([], 8)).to.equal("");
  });

  const durations: [number, string][] = [
    [0, "0:00"],
    [75, "1:15"],
    [3700, "1:01:40"],
  ];
  for (const [seconds, text] of durations) it(`writes ${seconds} s as ${text}`, () => expect(duration(seconds)).to.equal(text));

  it("prints plain lines where there is no terminal, and the learning curve at the end", () => {
    const text = show(
      {},
      step(),
      step({ step: 2, reward: 0.6 }),
      { type: "warning", message: "careful" },
      { type: "end", summary, folder: "runs/x" },
    );
    expect(text).to.match(/1\/4[\s\S]*2\/4[\s\S]*warning: careful[\s\S]*reward by step[\s\S]*┤/);
    expect(text).to.include("held-out accuracy 25.0% -> 75.0%");
    expect(text).to.include("runs/x");
  });

  it("prints one JSON value a line for programs", () => {
    const lines = show({ json: true }, step(), { type: "end", summary, folder: "runs/x" }).trim().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as RunEvent).type)).to.deep.equal(["step", "end"]);
  });

  it("keeps to warnings and the end when it is told to be quiet", () => {
    expect(show({ quiet: true }, step(), { type: "warning", message: "careful" })).to.equal("warning: careful\n");
  });

  it("shrinks a long curve to means", () => {
    expect(shrink([1, 3, 5, 7], 2)).to.deep.equal([2, 6]);
    expect(shrink([1, 2], 5)).to.deep.equal([1, 2]);
  });
});

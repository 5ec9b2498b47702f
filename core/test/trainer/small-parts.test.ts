import { expect } from "chai";
import {
  CheckpointError,
  fromJson,
  HashedNgrams,
  IndependentSampler,
  isCheckpointDue,
  learningRateAt,
  States,
  TokenOverlapJudge,
  toJson,
} from "../../src/index.js";
import { ServiceMeter } from "../../src/trainer/service-meter.js";
import { place } from "../doubles/runs.js";

describe("learning-rate schedules", () => {
  const base = { learningRate: 1, minLearningRate: 0.2, warmupSteps: 0 };
  const table: [string, number, Parameters<typeof learningRateAt>[2], number][] = [
    ["constant stays at the peak", 7, { ...base, schedule: "constant" }, 1],
    ["linear starts at the peak", 0, { ...base, schedule: "linear" }, 1],
    ["linear is half way in the middle", 5, { ...base, schedule: "linear" }, 0.6],
    ["linear ends at the minimum", 10, { ...base, schedule: "linear" }, 0.2],
    ["cosine starts at the peak", 0, { ...base, schedule: "cosine" }, 1],
    ["cosine is half way in the middle", 5, { ...base, schedule: "cosine" }, 0.6],
    ["cosine ends at the minimum", 10, { ...base, schedule: "cosine" }, 0.2],
    ["the first step of a warm-up is not zero", 0, { ...base, warmupSteps: 4, schedule: "cosine" }, 0.25],
    ["a warm-up ends at the peak", 3, { ...base, warmupSteps: 4, schedule: "cosine" }, 1],
    ["what follows a warm-up starts at the peak", 4, { ...base, warmupSteps: 4, schedule: "linear" }, 1],
  ];
  for (const [what, step, options, rate] of table) {
    it(what, () => expect(learningRateAt(step, 11, options)).to.be.closeTo(rate, 1e-15));
  }
});

describe("checkpoints", () => {
  const table: [due: boolean, every: "auto" | number, done: number, secondsAgo: number, seconds: number][] = [
    [true, 5, 10, 0, 0],
    [false, 5, 11, 1e9, 0],
    [false, "auto", 1, 4, 0],
    [true, "auto", 1, 5, 0.1],
    [false, "auto", 1, 39, 2],
    [true, "auto", 1, 40, 2],
  ];
  for (const [due, every, done, secondsAgo, seconds] of table) {
    it(`every ${every}: ${due ? "due" : "not due"} after step ${done}, ${secondsAgo} s after one that took ${seconds} s`, () =>
      expect(isCheckpointDue(every, done, { secondsAgo, seconds })).to.equal(due));
  }
});

describe("states as JSON", () => {
  const values: unknown[] = [
    { version: 1, text: "a", list: [1, [2]], nothing: null, yes: true },
    { numbers: [0.1, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324] },
    { a: Float64Array.of(0.1, Number.NaN), b: Int32Array.of(-1), c: Uint8Array.of(255), d: new Float32Array(3), e: new Float64Array() },
  ];
  values.forEach((value, i) => {
    it(`come back bit for bit (${i})`, () => {
      const back = fromJson(toJson(value));
      expect(back).to.deep.equal(value);
      expect(toJson(back)).to.equal(toJson(value));
    });
  });
});

describe("states of components", () => {
  const states = () => new States([place(IndependentSampler)]);
  const sampler = place(IndependentSampler);

  it("are independent in a copy", () => {
    const [own, copy] = [states(), states().copy()];
    copy.set(sampler, { version: 1, drawn: 5 } as never);
    expect(own.get(sampler)).to.deep.equal({ version: 1, drawn: 0 });
  });

  it("are restored from what was saved", () => {
    const own = states();
    own.restore(fromJson(toJson({ "sampler:independent": { version: 1, drawn: 7 } })) as never);
    expect(own.get(sampler)).to.deep.equal({ version: 1, drawn: 7 });
  });

  it("of a version that the component does not know are refused", () => {
    expect(() => states().restore({ "sampler:independent": { version: 9 } })).to.throw(CheckpointError, "version 9");
    expect(() => states().restore({})).to.throw(CheckpointError, "no state of sampler:independent");
  });
});

describe("the judge and the embedding of a run", () => {
  const named = { judge: place(TokenOverlapJudge), embed: place(HashedNgrams, { dimensions: 8 }) };

  it("are those given in code, else those that the config names, else none", async () => {
    const request = { prompt: "", completion: "a", references: ["a"] };
    const { services } = new ServiceMeter(named, { judge: async () => [0.25] });
    expect(await services.judge!([request])).to.deep.equal([0.25]);
    expect((await services.embed!(["a"]))[0]).to.have.length(8);
    expect(new ServiceMeter({}, {}).services).to.deep.equal({});
  });

  it("count what they are asked and what fails", async () => {
    const counted = new ServiceMeter(named, { judge: async (requests) => requests.map((_, i) => (i === 0 ? null : 1)) });
    const { services } = counted;
    const request = { prompt: "", completion: "" };
    await services.judge!([request, request, request]);
    await services.embed!(["a", "b"]);
    expect(counted.take()).to.deep.equal({ "judge.requests": 3, "judge.failed": 1, "embed.texts": 2 });
    expect(counted.take()).to.deep.equal({ "judge.requests": 0, "judge.failed": 0, "embed.texts": 0 });
  });
});

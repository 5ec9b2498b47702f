import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  type Batch,
  CharTokenizer,
  type DecodeOptions,
  type DecodeRequest,
  type Environment,
  environment,
  evaluatePrompts,
  type GenerateRequest,
  type GroupSamplerOptions,
  groupSamplerOptions,
  IndependentSampler,
  observationTokens,
  options,
  type PlacedEnvironment,
  PluginError,
  type RewardModel,
  type RewardResult,
  type RunComponents,
  RunFolder,
  rewardModel,
  runLoop,
  type SampleContext,
  sampler,
  statistics,
  TrainingJob,
  type Trajectory,
  type Turn,
  trainingStep,
} from "../../src/index.js";
import { makeGenerate } from "../../src/trainer/rollout.js";
import { grpo, place, tabularRun } from "../doubles/runs.js";

interface Questions {
  asked: number;
}

/** Answers each question mark with a random digit and an equals sign; a plus ends the episode. */
@environment({ id: "oracle", writes: ["toolCalls"] })
class Oracle implements Environment<Questions> {
  readonly endOfTurn: readonly string[] = ["?", "+"];
  reset(): Questions {
    return { asked: 0 };
  }
  step({ state, text }: Turn<Questions>, { random }: Parameters<Environment["step"]>[1]) {
    const asks = text.endsWith("?");
    return { state: { asked: state.asked + Number(asks) }, done: !asks, observation: `${random.integer(10)}=` };
  }
  columns({ asked }: Questions) {
    return { toolCalls: asked };
  }
}

/** As many digits as tokens; ends a turn at two characters that are two tokens. */
@environment({ id: "pairs" })
class Pairs extends Oracle {
  override readonly endOfTurn = ["1?", "2?", "+"];
}

/** Says nothing at all. */
@environment({ id: "silent" })
class Silent extends Oracle {
  override step({ state }: Turn<Questions>) {
    return { state, done: false, observation: "" };
  }
}

@rewardModel({ id: "curious", reads: ["toolCalls"] })
class Curious implements RewardModel {
  score(batch: Batch): RewardResult {
    return { rewards: batch.f64("toolCalls") };
  }
}

/** Trains on everything. */
@sampler({ id: "unmasked", options: groupSamplerOptions })
class Unmasked extends IndependentSampler {
  constructor(@options() settings: GroupSamplerOptions) {
    super(settings);
  }
  protected override async rollout(...given: [planned: never, context: SampleContext<never>]) {
    const groups = await super.rollout(given[0], given[1] as never);
    const own = (t: Trajectory) => ({ ...t, mask: new Uint8Array(t.tokens.length).fill(1) });
    return groups.map((group) => ({ ...group, trajectories: group.trajectories.map(own) }));
  }
}

describe("episodes", function () {
  this.timeout(20000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "proximal-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const alphabet = "0123456789+=?";
  const tokenizer = new CharTokenizer(alphabet);
  interface Given {
    settings?: NonNullable<Parameters<typeof tabularRun>[1]>["settings"];
    sampler?: RunComponents["sampler"];
  }
  const runWith = (target: typeof Oracle = Oracle, more: Partial<PlacedEnvironment> = {}, { settings, sampler }: Given = {}) =>
    tabularRun(folder, {
      alphabet,
      settings: { sampling: { maxTokens: 24 }, ...settings },
      composition: grpo({
        environment: { ...place(target), maxTurns: 4, ...more },
        rewards: [{ ...place(Curious), weight: 1, inner: [] }],
        ...(sampler === undefined ? {} : { sampler }),
      }),
    });
  const prepared = async (given: Given = {}) => {
    const run = runWith(Oracle, {}, given);
    await new TrainingJob(run).prepare();
    return run;
  };
  const rollout = async (run: ReturnType<typeof runWith>, more: Partial<GenerateRequest> = {}, count = 24) =>
    makeGenerate(run, 0)(Array.from({ length: count }, (_, i) => ({ prompt: run.data.train.get(i % 3), key: `${i}`, ...more })));

  const observedText = ({ tokens, columns }: Trajectory) =>
    tokenizer.decode(tokens.filter((_, t) => (columns!.observed as number[])[t] === 1));

  it("alternate between the policy's turns and the environment's answers, with exact tokens, masks and log-probs", async () => {
    const run = runWith();
    const { policy } = run;
    for (const trajectory of await rollout(run)) {
      const { tokens, mask, logp, text, columns, finish, prompt } = trajectory;
      const { observed, turnIndex, turns, toolCalls, lastTurn } = columns as Record<string, number[]> & { lastTurn: string };
      expect(text).to.match(/^[0-9=]*([?][0-9]=[0-9=]*){0,3}[?+]?([0-9]=?)?$/);
      expect(text).to.equal(tokenizer.decode(tokens));
      expect([...mask].map((own) => 1 - own)).to.deep.equal(observed);
      expect(observedText(trajectory)).to.match(/^([0-9]=)*[0-9]?$/);
      const scored = await policy.score([{ prompt: prompt.tokens, response: tokens }], { outputs: ["logp"], temperature: 1 });
      expect([...logp]).to.deep.equal([...scored.logp!].map((value, t) => (mask[t] ? value : 0)));
      expect(turnIndex![0]).to.equal(0);
      expect(turnIndex!.at(-1)).to.be.below(turns as unknown as number);
      expect(toolCalls).to.equal([...text].filter((c) => c === "?").length);
      const last =
        text.endsWith("=") && finish === "length"
          ? lastTurn
          : tokenizer.decode(tokens.filter((_, t) => !observed![t] && turnIndex![t] === turnIndex!.at(-1)));
      expect(lastTurn).to.equal(last);
    }
  });

  it("go on from what their earlier turns computed, and from no other run's or step's", async () => {
    const scopesOf = async (maxTurns: number) => {
      const run = runWith(Oracle, { maxTurns });
      const decode = run.policy.decode.bind(run.policy);
      const scopes: (string | undefined)[] = [];
      run.policy.decode = (requests: readonly DecodeRequest[], options?: DecodeOptions) => {
        scopes.push(options?.keep);
        return decode(requests);
      };
      await rollout(run);
      const turns = scopes.length;
      await rollout(run);
      return { first: new Set(scopes.slice(0, turns)), second: new Set(scopes.slice(turns)), turns };
    };
    const { first, second, turns } = await scopesOf(4);
    expect(turns).to.be.above(1);
    expect([first.size, second.size]).to.deep.equal([1, 1]);
    expect([...first, ...second].every((name) => name !== undefined)).to.equal(true);
    expect([...first]).to.not.deep.equal([...second]);
    expect([...(await scopesOf(1)).first]).to.deep.equal([undefined]);
  });

  it("end with the reason of their end", async () => {
    const seen = new Set<string>();
    for (const { text, tokens, finish, columns } of await rollout(runWith(), {}, 60)) {
      const turns = columns!.turns as number;
      const reason = tokens.at(-1) === 0 ? "stop" : text.includes("+") ? "environment" : "length";
      if (reason === "length") expect(turns === 4 || tokens.length === 24).to.equal(true);
      expect(finish).to.equal(reason);
      seen.add(finish);
    }
    expect([...seen].sort()).to.deep.equal(["environment", "length", "stop"]);
  });

  it("meet the same world in all responses of a prompt, and another one in another step", async () => {
    const run = runWith();
    const worlds = async (step: number) => {
      const prompt = run.data.train.get(0);
      const responses = await makeGenerate(run, step)(Array.from({ length: 40 }, (_, i) => ({ prompt, key: `${i}` })));
      const answers = responses.map(observedText);
      return [0, 2, 4].map((at) => new Set(answers.map((text) => text.slice(at, at + 2)).filter((text) => text.length === 2)));
    };
    const [first, second] = [await worlds(0), await worlds(1)];
    for (const answers of [...first, ...second]) expect(answers.size).to.be.at.most(1);
    expect(first).to.not.deep.equal(second);
  });

  it("do not depend on what else is decoded", async () => {
    const run = runWith();
    const all = await rollout(run);
    const [prompt, key] = [run.data.train.get(2), "5"];
    expect((await makeGenerate(run, 0)([{ prompt, key }]))[0]).to.deep.equal(all[5]);
  });

  it("end a turn at texts of several tokens", async () => {
    for (const trajectory of await rollout(runWith(Pairs))) {
      const parts = trajectory.text.split(/(?<=[12][?])/);
      for (const part of parts.slice(1)) expect(part).to.match(/^([0-9](=|$)|$)/);
    }
  });

  it("cut observations that are longer than allowed, and all of a response at its budget", async () => {
    for (const { tokens, columns } of await rollout(
      runWith(Oracle, { observationTokens: 1 }, { settings: { sampling: { maxTokens: 9 } } }),
    )) {
      expect(tokens.length).to.be.at.most(9);
      const perTurn = (columns!.observed as number[])
        .map((own, t) => (own ? (columns!.turnIndex as number[])[t] : -1))
        .filter((turn) => turn! >= 0);
      expect(new Set(perTurn).size).to.equal(perTurn.length);
    }
  });

  it("go on after an answer without words", async () => {
    const responses = await rollout(runWith(Silent));
    expect(Math.max(...responses.map(({ columns }) => columns!.turns as number))).to.equal(4);
    for (const { mask } of responses) expect(mask.includes(0)).to.equal(false);
  });

  it("continue from a given beginning as they would have gone on", async () => {
    const run = runWith();
    const whole = await rollout(run);
    for (const [i, { tokens, prompt, mask }] of whole.entries()) {
      for (const length of [1, Math.floor(tokens.length / 2), tokens.length - 1]) {
        if (length < 1) continue;
        const [again] = await makeGenerate(run, 0)([{ prompt, key: `${i}`, prefix: tokens.slice(0, length) }]);
        expect(again!.tokens).to.deep.equal(tokens);
        expect([...again!.mask]).to.deep.equal([...mask].map((own, t) => (t < length ? 0 : own)));
      }
    }
    const prompt = run.data.train.get(0);
    const forged = tokenizer.encode("3?==");
    const refused = await makeGenerate(run, 0)([{ prompt, prefix: forged }]).catch((error: unknown) => error);
    expect(refused).instanceOf(PluginError);
  });

  it("train on the policy's own tokens only, with rewards that read the environment's columns", async () => {
    const run = await prepared();
    const { sampled, trained, metrics } = await trainingStep(run, 0);
    expect(sampled.f64("rewards")).to.deep.equal(sampled.f64("toolCalls"));
    expect(metrics["oracle.toolCalls"]).to.equal(metrics.reward);
    expect(metrics.turns).to.be.above(1);
    expect(metrics.observedTokens).to.be.within(0.01, 0.9);
    expect(metrics.logpGapMax).to.be.below(1e-9);
    expect(trained.f64("mask").map((own) => 1 - own)).to.deep.equal(trained.f64("observed"));
  });

  it("learn: calls that pay become more frequent", async () => {
    const run = await prepared({ settings: { optimizer: { learningRate: 0.3 } } });
    const rewards: number[] = [];
    for (let step = 0; step < 25; step++) rewards.push((await trainingStep(run, step)).metrics.reward!);
    const { mean } = statistics;
    expect(mean(rewards.slice(-5))).to.be.above(mean(rewards.slice(0, 5)) + 1);
  });

  it("are evaluated as episodes", async () => {
    const run = runWith();
    const [problem] = await evaluatePrompts(run, run.data.held!.prompts, { limit: 1, greedy: false, samples: 12 });
    expect(Math.max(...problem!.responses.map(({ columns }) => columns!.turns as number))).to.be.above(1);
    expect(problem!.rewards).to.deep.equal(problem!.responses.map(({ columns }) => columns!.toolCalls));
  });

  it("resume byte for byte, and stand in the rollouts with their columns", async () => {
    const file = (name: string, path: string) => readFileSync(join(folder, name, path));
    const job = (name: string, options: object = {}) => {
      const path = join(folder, name);
      const known = existsSync(path) ? RunFolder.open(path) : RunFolder.create(path, { kind: "train", config: {}, folder });
      return runLoop(new TrainingJob(runWith()), { folder: known, ...options });
    };
    await job("whole");
    const stop = new AbortController();
    await job("cut", { signal: stop.signal, onEvent: (event: { type: string }) => event.type === "step" && stop.abort() });
    await job("cut", { resume: true });
    const plain = (name: string) =>
      String(file(name, "metrics.jsonl")).replaceAll(/"(seconds\w*|rss\w*|time\w*|\w*PerSecond)":[^,}]+,?/g, "");
    expect(plain("cut")).to.equal(plain("whole"));
    const [record] = await RunFolder.open(join(folder, "whole")).rollouts(1);
    expect(record!.columns).to.have.all.keys("turns", "toolCalls");
  });

  it("refuse a sampler that trains on observations", async () => {
    const run = await prepared({ sampler: place(Unmasked, { groupSize: 8 }) as never });
    const refused = await trainingStep(run, 0).catch((error: unknown) => error);
    expect(refused).instanceOf(PluginError);
    expect(String(refused)).to.include('"unmasked"');
  });
});

describe("the tokens of an observation", () => {
  const chat = {
    ...{ vocabularySize: 0, stopTokens: [3], padToken: 0 },
    encode: (text: string) =>
      Int32Array.from([...text.matchAll(/<end>|[\s\S]/g)], ([piece]) => (piece === "<end>" ? 3 : piece.codePointAt(0)!)),
    decode: (tokens: ArrayLike<number>) => String.fromCodePoint(...Array.from(tokens)),
    chat: (messages: readonly { role: string; content: string }[]) =>
      `${messages.map(({ role, content }) => `${role}:${content}<end>\n`).join("")}assistant:`,
  };
  const text = (tokens: Int32Array) => chat.decode(tokens).replaceAll("\u0003", "<end>");
  const message = { role: "tool", content: "42" } as const;

  it("are the text's, without stop tokens that it spells", () => {
    expect(text(observationTokens(chat, "a<end>b<end>", 1))).to.equal("ab");
  });

  it("are what the chat template writes between two turns, the end of the first only where the policy did not write it", () => {
    expect(text(observationTokens(chat, message, 65))).to.equal("<end>\ntool:42<end>\nassistant:");
    expect(text(observationTokens(chat, message, 3))).to.equal("\ntool:42<end>\nassistant:");
  });

  it("need a chat template for a message", () => {
    const { chat: _, ...plain } = chat;
    expect(() => observationTokens(plain, message, 3)).to.throw(/chat template/);
  });
});

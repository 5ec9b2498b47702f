import { mean } from "../builtin/statistics.js";
import type { SftSection } from "../config/schema.js";
import type { DataSets } from "../data/index.js";
import { DataError } from "../errors.js";
import type { Context, LossComponent, Metrics } from "../extension/index.js";
import { ObjectiveProgram } from "../objective/index.js";
import type { PolicyBackend } from "../policy/index.js";
import { Batch, type Prompt, Random, type Trajectory } from "../rollout/index.js";
import { rowsOf } from "./columns.js";
import type { Job } from "./job.js";
import { residentMemory } from "./metrics.js";
import { learningRateAt } from "./schedule.js";
import type { RunSettings } from "./settings.js";
import { Stopwatch } from "./stopwatch.js";

export interface SftParts {
  settings: RunSettings & { sft: SftSection };
  policy: PolicyBackend;
  data: DataSets;
  /** Field of a record that holds the answer to learn. */
  answer: string;
}

/** -log p(token), mean over all tokens of the batch: the cross-entropy of the answers, nats. */
const negativeLogLikelihood: LossComponent = { terms: ({ logp }: Context) => ({ value: logp.neg(), aggregation: "token-mean" }) };

const program = new ObjectiveProgram([{ id: "nll", component: negativeLogLikelihood, coefficient: 1, stepShapes: {} }], {
  aggregation: "token-mean",
});

/** Records that are evaluated at once. */
const CHUNK = 256;

/** Supervised training on prompts and answers: the same engine, with the negative log-likelihood as its only term. */
export class SftJob implements Job {
  readonly steps: number;
  readonly seed: number;
  readonly policy: PolicyBackend;
  readonly data: DataSets;
  readonly evaluateEvery: number;
  readonly checkpointEvery: Job["checkpointEvery"];
  readonly keepCheckpoints: number;

  constructor(private readonly parts: SftParts) {
    const { settings, policy } = parts;
    this.steps = settings.sft.steps;
    this.seed = settings.seed;
    this.policy = policy;
    this.data = parts.data;
    this.evaluateEvery = settings.sft.evalEvery;
    this.checkpointEvery = settings.trainer.checkpointEvery;
    this.keepCheckpoints = settings.trainer.keepCheckpoints;
  }

  async prepare(): Promise<void> {}

  async step(step: number): Promise<{ metrics: Metrics }> {
    const clock = new Stopwatch();
    const { settings, data } = this.parts;
    const learningRate = learningRateAt(step, this.steps, settings.optimizer);
    const batch = this.batchOf(this.draw(step).map((index) => data.train.get(index)));
    const { loss, gradNorm, skipped } = await this.policy.update({ program, batch, stepValues: {}, learningRate, temperature: 1 });
    const metrics = {
      step: step + 1,
      loss,
      gradNorm,
      learningRate,
      updates: 1,
      skipped: skipped ? 1 : 0,
      rows: batch.rows,
      tokens: batch.tokens,
      seconds: clock.total,
      secondsCpu: clock.processor,
      tokensPerSecond: batch.tokens / clock.total,
      rss: residentMemory(),
    };
    return { metrics };
  }

  /** Records of a step: every pass over the data in an order of its own, which the seed gives. */
  private draw(step: number): number[] {
    const { settings, data } = this.parts;
    const size = data.train.size;
    const random = new Random(settings.seed);
    const orders = new Map<number, Int32Array>();
    return Array.from({ length: settings.sft.batchSize }, (_, i) => {
      const at = step * settings.sft.batchSize + i;
      const pass = Math.floor(at / size);
      const order = orders.get(pass) ?? random.fork("data-order", pass).permutation(size);
      orders.set(pass, order);
      return order[at % size]!;
    });
  }

  private batchOf(prompts: readonly Prompt[]): Batch {
    return Batch.fromGroups(prompts.map((prompt) => ({ prompt, trajectories: [this.answerOf(prompt)] })));
  }

  /** The record's answer and the token that ends a response. */
  private answerOf(prompt: Prompt): Trajectory {
    const { tokenizer, info } = this.policy;
    const text = this.textOf(prompt);
    const stop = tokenizer.stopTokens[0];
    const tokens = Int32Array.of(...tokenizer.encode(text, { special: false }), ...(stop === undefined ? [] : [stop]));
    if (prompt.tokens.length + tokens.length > info.contextLength) {
      throw new DataError(
        `prompt and answer have ${prompt.tokens.length + tokens.length} tokens; the context holds ${info.contextLength}`,
        {
          path: `record ${prompt.id}`,
        },
      );
    }
    const mask = new Uint8Array(tokens.length).fill(1);
    return { prompt, tokens, mask, logp: new Float64Array(tokens.length), text, finish: "stop", temperature: 1 };
  }

  private textOf({ fields, id }: Prompt): string {
    const given = fields[this.parts.answer];
    const first: unknown = Array.isArray(given) ? given[0] : given;
    if (typeof first === "string" || typeof first === "number") return String(first);
    throw new DataError(`the record has no text in the field "${this.parts.answer}" to learn`, { path: `record ${id}` });
  }

  /** Cross-entropy of the held-out answers, nats a token, and the share of them that greedy decoding gives to the letter. */
  async evaluate(): Promise<Metrics | null> {
    const { data, settings } = this.parts;
    if (data.held === null) return null;
    const prompts = data.held.first(settings.evaluation.limit);
    const losses: number[] = [];
    let right = 0;
    for (let at = 0; at < prompts.length; at += CHUNK) {
      const chunk = prompts.slice(at, at + CHUNK);
      const { logp } = await this.policy.score(rowsOf(this.batchOf(chunk)), { outputs: ["logp"], temperature: 1 });
      losses.push(...logp!.map((value) => -value));
      const requests = chunk.map(({ tokens }) => ({
        prompt: tokens,
        key: 0,
        greedy: true,
        maxTokens: settings.sampling.maxTokens,
        temperature: 1,
      }));
      const answers = (await this.policy.decode(requests)).map(({ tokens }) => this.policy.tokenizer.decode(tokens).trim());
      right += answers.filter((answer, i) => answer === this.textOf(chunk[i]!).trim()).length;
    }
    return { loss: mean(losses), accuracy: right / prompts.length };
  }

  save(): null {
    return null;
  }

  restore(): void {}
}

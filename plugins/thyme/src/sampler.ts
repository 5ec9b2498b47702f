import {
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  type RunFacts,
  rescored,
  runFacts,
  type SampleContext,
  type SampleResult,
  type Static,
  sampler,
  type Trajectory,
  Type,
  tokenOffsets,
} from "@proximal/core";
import { sandbox } from "@proximal/sandbox";
import { isRepetitive } from "./repetition.js";
import { SANDBOX, temperatureOf } from "./segments.js";

export const thymeOptions = Type.Object({
  ...groupSamplerOptions.properties,
  groupSize: Type.Integer({ default: 4, minimum: 2, description: "Responses a prompt" }),
  textTemperature: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Of text" }),
  codeTemperature: Type.Number({ default: 0, minimum: 0, description: "Of code; 0 = the likeliest token" }),
  codeOpen: Type.String({ default: "<code>", minLength: 1, description: "Begins a block of code" }),
  codeClose: Type.String({ default: "</code>", minLength: 1, description: "Ends it" }),
  answerClose: Type.String({ default: "</answer>", minLength: 1, description: "Ends the response" }),
  maxRounds: Type.Integer({ default: 8, minimum: 1, description: "Blocks of code a response" }),
  repetitionLength: Type.Integer({ default: 20, minimum: 1, description: "Characters of the substrings whose repetition is watched" }),
  repetitionShare: Type.Number({
    default: 0.5,
    exclusiveMinimum: 0,
    maximum: 1,
    description: "A response is stopped when one substring covers more of it; 1 = off",
  }),
  maskTruncated: Type.Boolean({ default: true, description: "Leave responses without an end out of the update" }),
  chunkTokens: Type.Integer({ default: 64, minimum: 1, description: "Tokens decoded between two looks for a tag" }),
  outputLength: Type.Integer({ default: 1000, minimum: 1, description: "Characters of a block's output" }),
  interrupts: Type.Integer({
    default: 1000,
    minimum: 1,
    description: "Work that a block may do, in turns of the interpreter's interrupt handler",
  }),
  seconds: Type.Number({ default: 10, exclusiveMinimum: 0, description: "Wall clock of a response's blocks together" }),
  megabytes: Type.Integer({ default: 32, minimum: 1, description: "Memory of a response's interpreter" }),
});

/** One response that is being written. */
interface Draft {
  prompt: Prompt;
  key: string;
  tokens: number[];
  mask: number[];
  kind: "text" | "code";
  /** First token of the present segment. */
  start: number;
  rounds: number;
  finish?: Trajectory["finish"];
  /** Blocks of code so far: the next one runs behind them. */
  blocks: string[];
}

/** Writes text and code by turns, code at its own temperature; what a block prints is inserted and not trained on. Thyme (2508.11630). */
@sampler({
  id: "thyme",
  description: "Responses that write and run code: text sampled, code greedy, sandbox output inserted",
  options: thymeOptions,
  reads: ["truncated"],
  writes: ["keep"],
  provides: ["group-of-equal-prompts", "multi-turn"],
})
export class ThymeSampler extends GroupSampler {
  constructor(
    @options() protected readonly settings: Static<typeof thymeOptions>,
    @runFacts() private readonly facts: RunFacts,
  ) {
    super();
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const drafts = planned.flatMap(({ prompt, count }, g) =>
      Array.from(
        { length: count },
        (_, i): Draft => ({ prompt, key: `${g}/${i}`, tokens: [], mask: [], kind: "text", start: 0, rounds: 0, blocks: [] }),
      ),
    );
    for (let open = drafts; open.length > 0; open = open.filter(({ finish }) => finish === undefined)) {
      const requests = open.map((draft) => this.request(draft, context.maxTokens));
      const pieces = await context.generate(requests, { continued: true });
      await Promise.all(open.map((draft, i) => this.extend(draft, pieces[i]!, context)));
    }
    const trajectories = await rescored(
      drafts.map((draft) => this.finished(draft, context)),
      context.policy,
    );
    let at = 0;
    return planned.map(({ prompt, count }) => {
      at += count;
      return { prompt, trajectories: trajectories.slice(at - count, at) };
    });
  }

  private request({ prompt, key, tokens, kind }: Draft, maxTokens: number): GenerateRequest {
    const temperature = temperatureOf(kind, this.settings);
    return {
      prompt,
      key,
      prefix: Int32Array.from(tokens),
      maxTokens: Math.min(this.settings.chunkTokens, maxTokens - tokens.length),
      ...(temperature === 0 ? { greedy: true } : { temperature }),
    };
  }

  /** Takes a decoded piece up to its first tag. Noise belongs to positions, so what is cut off is drawn again at its new temperature. */
  private async extend(draft: Draft, piece: Trajectory, context: SampleContext<DataState>): Promise<void> {
    const { codeOpen, codeClose, answerClose, maxRounds, repetitionLength, repetitionShare } = this.settings;
    const { tokenizer } = context.policy;
    const segment = [...piece.tokens.slice(draft.start)];
    const text = tokenizer.decode(segment);
    const tags = draft.kind === "code" ? [codeClose] : [codeOpen, answerClose];
    const found = tags
      .map((tag) => ({ tag, at: text.indexOf(tag) }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0];
    const end = found === undefined ? segment.length : tokensUpTo(tokenOffsets(tokenizer, segment), found.at + found.tag.length);
    const length = draft.start + end;
    draft.mask.push(...new Array<number>(length - draft.tokens.length).fill(1));
    draft.tokens = [...piece.tokens.slice(0, length)];
    if (found?.tag === codeOpen && draft.kind === "text") this.turn(draft, "code");
    else if (found?.tag === codeClose) {
      await this.execute(draft, text.slice(0, found.at), context);
      draft.rounds++;
      this.turn(draft, "text");
      if (draft.rounds >= maxRounds) draft.finish = "length";
    } else if (found?.tag === answerClose) draft.finish = "stop";
    else if (piece.finish === "stop") draft.finish = "stop";
    else if (repetitionShare < 1 && isRepetitive(tokenizer.decode(draft.tokens), repetitionLength, repetitionShare))
      draft.finish = "length";
    if (draft.finish === undefined && draft.tokens.length >= context.maxTokens) draft.finish = "length";
  }

  private turn(draft: Draft, kind: Draft["kind"]): void {
    draft.kind = kind;
    draft.start = draft.tokens.length;
  }

  /** Runs a block and appends its output as observation, cut where the response is full. */
  private async execute(draft: Draft, code: string, { policy, maxTokens }: SampleContext): Promise<void> {
    draft.blocks.push(code);
    const results = await sandbox().run(draft.blocks, this.settings);
    const output = policy.tokenizer
      .encode(SANDBOX.open + results.at(-1)!.output + SANDBOX.close, { special: false })
      .slice(0, maxTokens - draft.tokens.length);
    draft.tokens.push(...output);
    draft.mask.push(...output.map(() => 0));
  }

  private finished({ prompt, tokens, mask, finish }: Draft, { policy }: SampleContext): Trajectory {
    return {
      prompt,
      tokens: Int32Array.from(tokens),
      mask: Uint8Array.from(mask),
      logp: new Float64Array(tokens.length),
      text: policy.tokenizer.decode(tokens),
      finish: finish!,
      temperature: this.facts.temperature,
    };
  }

  protected override async select(scored: Parameters<GroupSampler["select"]>[0]): Promise<SampleResult<DataState>> {
    const { batch } = scored;
    const truncated = batch.f64("truncated");
    const observed = batch.f64("mask").filter((own) => own === 0).length;
    return {
      ...scored,
      batch: batch.with({ keep: [...truncated].map((cut) => (this.settings.maskTruncated && cut === 1 ? 0 : 1)) }),
      metrics: {
        codeFraction: batch.trajectories.filter(({ text }) => text.includes(this.settings.codeClose)).length / Math.max(1, batch.rows),
        observedTokens: observed / Math.max(1, batch.tokens),
      },
    };
  }
}

/** Fewest tokens whose text reaches `end`. */
const tokensUpTo = (offsets: Int32Array, end: number): number => {
  const at = offsets.findIndex((offset) => offset >= end);
  return at < 0 ? offsets.length - 1 : at;
};

import { mean } from "../builtin/statistics.js";
import type { Metrics } from "../extension/index.js";
import type { Batch, Group, Prompt, Trajectory } from "../rollout/index.js";
import type { Parts } from "./intervals.js";
import { correctness } from "./metrics.js";
import { respond } from "./respond.js";
import type { Run } from "./run.js";
import { scoreGroups } from "./scoring.js";
import { drawOf, type EvaluationSettings } from "./settings.js";
import { majAtK } from "./vote.js";

/** One problem with all its responses. */
export interface EvaluatedProblem {
  prompt: Prompt;
  responses: readonly Trajectory[];
  /** 1 = right, 0 = wrong, NaN = unverifiable; one a response. */
  correct: readonly number[];
  rewards: readonly number[];
  /** What the reward models report apart, by `<reward id>` and `<reward id>.<component>`; one value a response. */
  components: Readonly<Record<string, readonly number[]>>;
}

/** Prompts that are decoded at once. */
const CHUNK = 256;

/**
 * Answers the first `limit` prompts and scores them with the run's reward models; their states stay as they are. The noise
 * depends on seed and prompt alone, so that two evaluations differ by the policy only.
 */
export async function evaluatePrompts(
  run: Run,
  prompts: readonly Prompt[],
  { limit, greedy, samples }: Pick<EvaluationSettings, "limit" | "greedy" | "samples">,
  step = 0,
): Promise<EvaluatedProblem[]> {
  const problems: EvaluatedProblem[] = [];
  const chosen = prompts.slice(0, limit);
  const perChunk = Math.max(1, Math.floor(CHUNK / samples));
  for (let at = 0; at < chosen.length; at += perChunk) {
    const groups = await answer(run, chosen.slice(at, at + perChunk), greedy, greedy ? 1 : samples);
    const { batch } = await scoreGroups(run, groups, step, run.states.copy());
    const [correct, rewards] = [correctness(batch), batch.f64("rewards")];
    const components = rewardParts(run, batch);
    groups.forEach(({ prompt, trajectories }, g) => {
      const rows = [...batch.groupRows[g]!];
      problems.push({
        prompt,
        responses: trajectories,
        correct: rows.map((row) => correct[row]!),
        rewards: rows.map((row) => rewards[row]!),
        components: Object.fromEntries(Object.entries(components).map(([name, values]) => [name, rows.map((row) => values[row]!)])),
      });
    });
  }
  return problems;
}

/** Each reward model's own values, and the components it reports, [B] each. */
export function rewardParts({ composition }: Run, batch: Batch): Record<string, Float64Array> {
  const ids = composition.rewards.map(({ id }) => id);
  const all = batch.has("rewardComponents") ? batch.f64("rewardComponents") : new Float64Array();
  const K = Math.max(1, ids.length);
  const whole = ids.map((id, k) => [id, Float64Array.from({ length: batch.rows }, (_, row) => all[row * K + k]!)] as const);
  const parts = batch.names.filter((name) => ids.some((id) => name.startsWith(`${id}.`))).map((name) => [name, batch.f64(name)] as const);
  return Object.fromEntries([...whole, ...parts]);
}

/** What the sampler shows the policy for each prompt. */
function shownPrompts({ composition: { sampler }, states, data }: Run, prompts: readonly Prompt[]): readonly Prompt[] {
  const facts = { state: states.get(sampler), prompts: data.train };
  return prompts.map((prompt) => sampler.component.evaluationPrompt?.(prompt, facts) ?? prompt);
}

async function answer(run: Run, prompts: readonly Prompt[], greedy: boolean, samples: number): Promise<Group[]> {
  const { settings } = run;
  const shown = shownPrompts(run, prompts);
  const { maxTokens, temperature } = settings.sampling;
  const noise = run.random.fork("evaluation");
  const requests = prompts.flatMap((prompt, p) =>
    Array.from({ length: samples }, (_, i) => ({
      source: shown[p]!,
      prompt: shown[p]!.tokens,
      key: noise.fork(prompt.id, i).key(),
      greedy,
      maxTokens,
      temperature,
      ...drawOf(settings.sampling),
    })),
  );
  const written = await respond(run, requests, noise.fork("environment"));
  return prompts.map((prompt, p) => ({
    prompt,
    trajectories: written.slice(p * samples, (p + 1) * samples).map((response) => ({ ...response, prompt: shown[p]!, temperature })),
  }));
}

const finite = (values: readonly number[]) => values.filter(Number.isFinite);

/** What a problem adds to each metric: shares are means over problems, rewards and lengths over responses. */
export function problemParts({ responses, correct, rewards, components }: EvaluatedProblem): Parts {
  const judged = [...correct.keys()].filter((i) => Number.isFinite(correct[i]));
  const marks = judged.map((i) => correct[i]!);
  const texts = judged.map((i) => responses[i]!.text);
  const right = marks.filter((mark) => mark === 1).length;
  const once = (value: number) => (judged.length === 0 ? { sum: 0, count: 0 } : { sum: value, count: 1 });
  const each = (values: readonly number[]) => ({ sum: values.reduce((a, b) => a + b, 0), count: values.length });
  const ks = sizesUpTo(responses.length).filter((k) => k <= Math.max(1, judged.length));
  return new Map([
    ["accuracy", once(mean(marks))],
    ...ks.map((k) => [`pass@${k}`, once(passAtK(judged.length, right, k))] as const),
    ...ks.filter((k) => k >= SMALLEST_VOTE).map((k) => [`maj@${k}`, once(majAtK(texts, marks, k))] as const),
    ["reward", each(finite(rewards))],
    ...Object.entries(components).map(([name, values]) => [`reward.${name}`, each(finite(values))] as const),
    ["length", each(responses.map(({ tokens }) => tokens.length))],
    ["truncated", each(responses.map(({ finish }) => (finish === "length" ? 1 : 0)))],
  ]);
}

/** Accuracy, pass@k, maj@k, reward, length and truncated share of evaluated problems. */
export function summarize(problems: readonly EvaluatedProblem[]): Metrics {
  const parts = problems.map(problemParts);
  const total = (name: string, key: "sum" | "count") => parts.reduce((sum, part) => sum + (part.get(name)?.[key] ?? 0), 0);
  const names = [...new Set(parts.flatMap((part) => [...part.keys()]))];
  return { problems: problems.length, ...Object.fromEntries(names.map((name) => [name, total(name, "sum") / total(name, "count")])) };
}

/** Fewer votes than this are a tie or agreed. */
const SMALLEST_VOTE = 3;

/** 1, 2, 4, … and n. */
const sizesUpTo = (n: number): number[] => {
  const sizes = [];
  for (let k = 1; k < n; k *= 2) sizes.push(k);
  return [...sizes, n];
};

/**
 * Probability that k responses drawn from n, of which c are right, hold a right one: 1 - C(n-c, k) / C(n, k).
 * Chen et al. 2021 (2107.03374), eq. 1.
 */
export function passAtK(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let miss = 1;
  for (let i = n - c + 1; i <= n; i++) miss *= 1 - k / i;
  return 1 - miss;
}

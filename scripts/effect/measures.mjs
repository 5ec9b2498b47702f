// What an effect check measures of a run: metrics of its steps, and facts of its sampled responses.
import { curve, meanHeight } from "@proximal/core";

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const share = (values, holds) => (values.length === 0 ? null : values.filter(holds).length / values.length);
const entropy = (counts) => {
  const total = counts.reduce((a, b) => a + b, 0);
  return -counts.reduce((sum, n) => sum + (n / total) * Math.log(n / total), 0);
};
const countsOf = (values) => [...values.reduce((counts, value) => counts.set(value, (counts.get(value) ?? 0) + 1), new Map()).values()];
const groupBy = (values, keyOf) => {
  const groups = new Map();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return [...groups.values()];
};
const groupsOf = (rows) => groupBy(rows, (row) => `${row.step}/${row.group}`);
const byPrompt = (rows) => groupBy(rows, (row) => row.prompt);
/** One number when all tokens share it; null for a row that was not trained on. */
const advantageOf = ({ update }) => {
  if (update === null) return null;
  const values = [...update.advantages];
  return values.every((value) => value === values[0]) ? (values[0] ?? 0) : values;
};
const isRight = ({ golds, text }) => golds.includes(text.trim());
const creditOf = ({ advantage }) => (Array.isArray(advantage) ? mean(advantage) : advantage);
const tokenCredits = ({ advantage, tokens }) => (Array.isArray(advantage) ? advantage : Array.from(tokens, () => advantage ?? 0));
const present = (values) => values.filter((value) => value !== null && Number.isFinite(value));
const meanOf = (values) => (present(values).length === 0 ? null : mean(present(values)));

/** Reductions of a metric over the steps. */
const OVER = {
  first: (values) => values[0],
  last: (values) => values.at(-1),
  mean,
  sum: (values) => values.reduce((a, b) => a + b, 0),
  max: (values) => Math.max(...values),
  min: (values) => Math.min(...values),
  /** Mean of the last tenth. */
  tail: (values) => mean(values.slice(-Math.max(1, Math.floor(values.length / 10)))),
  /** Standard deviation of the change from step to step: roughness of the curve. */
  roughness: (values) => {
    const changes = values.slice(1).map((value, i) => value - values[i]);
    const center = mean(changes);
    return Math.sqrt(mean(changes.map((change) => (change - center) ** 2)));
  },
};

/** Facts of sampled responses: `rows` with their step; `facts(prompt)` is the record of the data set. */
const ROLLOUTS = {
  /** Share of the responses that push the policy at all. */
  used: (rows) => share(rows, (row) => tokenCredits(row).some((a) => Math.abs(a) > 1e-9)),
  /** Share of the groups in which some response pushes. */
  usedGroups: (rows) => share(groupsOf(rows), (group) => group.some((row) => tokenCredits(row).some((a) => Math.abs(a) > 1e-9))),
  /** Share of the groups with rewards that are not all equal. */
  varied: (rows) => share(groupsOf(rows), (group) => new Set(group.map(({ reward }) => reward)).size > 1),
  /** Share of the right responses that are pushed up. */
  rightPushedUp: (rows) => share(rows.filter(isRight), (row) => creditOf(row) > 0),
  /** Mean response tokens of the right (wrong) responses. */
  rightLength: (rows) => meanOf(rows.filter(isRight).map(({ tokens }) => tokens.length)),
  wrongLength: (rows) => meanOf(rows.filter((row) => !isRight(row)).map(({ tokens }) => tokens.length)),
  /** Entropy over the distinct right answers of a prompt, nats, mean over prompts. */
  rightEntropy: (rows) => meanOf(byPrompt(rows.filter(isRight)).map((group) => entropy(countsOf(group.map(({ text }) => text.trim()))))),
  /** Share of the right responses that are the answer which was the least likely at first. */
  rareShare: (rows) => share(rows.filter(isRight), ({ golds, text }) => text.trim() === golds.at(-1)),
  /** Distinct texts by responses of a group. */
  distinct: (rows) => meanOf(groupsOf(rows).map((group) => new Set(group.map(({ text }) => text)).size / group.length)),
  /** Entropy over the texts of a prompt's responses, nats. */
  textEntropy: (rows) => meanOf(byPrompt(rows).map((group) => entropy(countsOf(group.map(({ text }) => text))))),
  /** Share of the responses that go to the half of the prompts which were hard at first. */
  hardShare: (rows, facts) => share(rows, ({ prompt }) => facts(prompt).stratum === 1),
  /** Right share of the responses to those prompts. */
  hardAccuracy: (rows, facts) =>
    share(
      rows.filter(({ prompt }) => facts(prompt).stratum === 1),
      isRight,
    ),
  /** Responses of the largest group by those of the mean group. */
  largestGroup: (rows) => {
    const sizes = groupsOf(rows).map((group) => group.length);
    return Math.max(...sizes) / mean(sizes);
  },
  /** Share of the responses whose tokens get different credit. */
  tokenwise: (rows) =>
    share(
      rows.filter((row) => Array.isArray(row.advantage)),
      ({ advantage }) => new Set(advantage).size > 1,
    ) ?? 0,
  /** Mean |credit| of the responses to hard prompts by that of the others. */
  hardCredit: (rows, facts) => {
    const of = (stratum) =>
      meanOf(rows.filter(({ prompt }) => facts(prompt).stratum === stratum).map((row) => Math.abs(creditOf(row) ?? 0)));
    return of(1) / of(0);
  },
  /** Variance of the credit that is explained by the prompt's half alone: bias between strata. */
  strataBias: (rows, facts) => {
    const credits = rows.filter((row) => row.advantage !== null).map((row) => [facts(row.prompt).stratum, creditOf(row)]);
    const of = (stratum) => meanOf(credits.filter(([s]) => s === stratum).map(([, a]) => a));
    return Math.abs(of(0) - of(1));
  },
  /** Mean reward of the sampled responses. */
  reward: (rows) => meanOf(rows.map(({ reward }) => reward)),
  /** Share of right responses. */
  right: (rows) => share(rows, isRight),
};

/** The value of a measure of a finished run; null where it does not exist. */
export async function measureRun(measure, run, facts) {
  const records = run.metrics();
  if (measure.metric !== undefined) {
    const values = records.map((record) => record[measure.metric]).filter((value) => typeof value === "number");
    if (values.length === 0)
      throw new Error(`no step has the metric "${measure.metric}"; there are ${Object.keys(records.at(-1)).join(", ")}`);
    return OVER[measure.over ?? "tail"](values);
  }
  if (measure.ratio !== undefined) {
    const [above, below] = measure.ratio.map((name) => records.reduce((sum, record) => sum + record[name], 0));
    return above / below;
  }
  if (measure.area !== undefined) {
    const budget = records.reduce((sum, { drawnTokens }) => sum + drawnTokens, 0);
    return meanHeight(curve(records, measure.area), budget);
  }
  if (measure.tokensTo !== undefined) {
    // Of a run that does not get there: what it drew, a lower bound.
    const points = curve(records, measure.metricName ?? "eval.accuracy");
    return points.find(([, value]) => value >= measure.tokensTo)?.[0] ?? records.reduce((sum, { drawnTokens }) => sum + drawnTokens, 0);
  }
  const compute = ROLLOUTS[measure.rollouts];
  if (compute === undefined) throw new Error(`there is no measure ${JSON.stringify(measure)}`);
  const steps = run.steps();
  const size = Math.max(1, Math.floor(steps.length / 4));
  const chosen = { first: steps.slice(0, 1), all: steps, start: steps.slice(0, size), last: steps.slice(-size) }[measure.over ?? "last"];
  const rows = [];
  for (const step of chosen) for (const row of await run.rollouts(step)) rows.push({ ...row, step, advantage: advantageOf(row) });
  return compute(rows, facts);
}

const METRIC_OVER = {
  first: "first step",
  last: "last step",
  mean: "mean over steps",
  sum: "sum over steps",
  max: "largest step",
  min: "smallest step",
  tail: "last tenth of the steps",
  roughness: "std of its change between steps",
};
const ROLLOUT_OVER = { first: "first step", all: "all steps", start: "first quarter of the steps", last: "last quarter of the steps" };
const ROLLOUT_TEXT = {
  used: "share of responses with a non-zero advantage",
  usedGroups: "share of groups with a non-zero advantage",
  varied: "share of groups with unequal rewards",
  rightPushedUp: "share of right responses with a positive advantage",
  rightLength: "tokens of right responses",
  wrongLength: "tokens of wrong responses",
  rightEntropy: "entropy over a prompt's right answers, nats",
  rareShare: "share of the rarest right answer among right responses",
  distinct: "distinct responses by group size",
  textEntropy: "entropy over a prompt's responses, nats",
  hardShare: "share of responses drawn for the harder half of the prompts",
  hardAccuracy: "right share on the harder half of the prompts",
  largestGroup: "largest group by mean group",
  tokenwise: "share of responses with token-wise credit",
  hardCredit: "mean |advantage| on the harder half by that on the easier half",
  strataBias: "gap of the mean advantage between the two strata",
  reward: "mean reward",
  right: "share of right responses",
};

/** A measure in words. */
export function describeMeasure(measure) {
  if (measure.label !== undefined) return measure.label;
  if (measure.metric !== undefined) return `\`${measure.metric}\`, ${METRIC_OVER[measure.over ?? "tail"]}`;
  if (measure.ratio !== undefined) return `\`${measure.ratio[0]}\` by \`${measure.ratio[1]}\`, over all steps`;
  if (measure.area !== undefined) return `\`${measure.area}\`, mean over the tokens drawn`;
  if (measure.tokensTo !== undefined) return `tokens drawn until accuracy ${measure.tokensTo}`;
  return `${ROLLOUT_TEXT[measure.rollouts]}, ${ROLLOUT_OVER[measure.over ?? "last"]}`;
}

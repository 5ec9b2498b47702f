import { Context } from "../extension/context.js";
import type { Aggregation, StepExpressions, Term } from "../extension/points.js";
import type { ColumnSpecs } from "../rollout/index.js";
import { type Expr, formatEquation } from "../tensor/index.js";
import { aggregationKey, aggregationName } from "./aggregation.js";
import { inputLeaves, type LossPart } from "./program.js";

const MEANING: Readonly<Record<string, string>> = {
  "token-mean": "sum over tokens / number of tokens",
  "token-sum": "sum over tokens",
  "seq-mean-token-mean": "mean over non-empty rows of the token mean",
  "seq-mean-token-sum": "mean over non-empty rows of the token sum",
  "seq-mean-token-sum-norm": "mean over non-empty rows of the token sum / fixed length",
  "prompt-mean": "mean over groups of the mean over the group's tokens",
  otm: "sum over rows of the token mean / number of groups",
  "row-mean": "mean over all rows",
  scalar: "as it is",
};

/** Names under which papers write what the context gives. */
const SYMBOLS: readonly [name: string, of: (context: Context) => Expr][] = [
  ["logp", (c) => c.logp],
  ["H", (c) => c.entropy],
  ["V", (c) => c.values],
  ["h", (c) => c.hidden],
  ["oldLogp", (c) => c.oldLogp],
  ["refLogp", (c) => c.refLogp],
  ["teacherLogp", (c) => c.teacherLogp],
  ["A", (c) => c.column("advantages")],
  ["r", (c) => c.ratio],
  ["|y|", (c) => c.lengths],
];

/** Definitions that say no more than that a name is what the batch or the policy gives, 0 outside the mask. */
const GIVEN = /^\s+\S+ = (?:where\(mask, )?(?:policy|column|step):[\w.-]+(?:, 0\))?$/;

/**
 * Each term of a loss as the equation that is executed, from its expression graph: symbols, stop-gradients (sg) and
 * aggregation. r is exp(logp − oldLogp), A the advantage; columns have their names.
 */
export function explainTerms(
  parts: readonly LossPart[],
  { aggregation, specs = {}, width = 100 }: { aggregation: Aggregation; specs?: ColumnSpecs; width?: number },
): string[] {
  const dims = { B: "B", T: "T", V: "V", H: "H", K: "K" };
  const context = new Context(dims, inputLeaves(dims), specs, (name) => name !== "weights" && name !== "tokenWeights");
  const names = new Map(SYMBOLS.map(([name, of]) => [of(context), name]));
  return parts.flatMap(({ id, component, coefficient, stepShapes }) => {
    const stepValues: StepExpressions = Object.fromEntries(
      Object.entries(stepShapes).map(([name, shape]) => {
        const value = context.stepValue(id, name, shape);
        names.set(value, name);
        return [name, value];
      }),
    );
    const terms = component.terms(context, stepValues);
    return (Array.isArray(terms) ? (terms as readonly Term[]) : [terms as Term]).map((term) => {
      const kind = term.aggregation ?? aggregation;
      const title = [id, term.name].filter((part) => part !== undefined).join(".");
      const factor = coefficient === 1 ? "" : `${coefficient} × `;
      const how = `${aggregationKey(kind)} (${MEANING[aggregationName(aggregationKey(kind))]})`;
      const lines = formatEquation(term.value, { names, width }).split("\n");
      const equation = lines.filter((line, i) => i === 0 || !GIVEN.test(line)).map((line) => `      ${line}`);
      return [`  ${title}: ${factor}${how} of`, ...equation].join("\n");
    });
  });
}

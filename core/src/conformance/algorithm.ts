import { builtins } from "../builtin/index.js";
import { UsageError } from "../errors.js";
import { type ComponentClass, metadataOf } from "../extension/component.js";
import type { Algorithm } from "../extension/plugin.js";
import type { AdvantageEstimator, Aggregation } from "../extension/points.js";
import type { Inputs } from "./case.js";
import { runAdvantage } from "./components.js";
import { runTerms, type TermCase } from "./terms.js";

type Part = Readonly<Record<string, unknown>>;

/** What an algorithm makes of a batch. */
export interface AlgorithmOutcome {
  /** One a row, or one a token in a list a row. */
  advantages: readonly (number | readonly number[])[];
  loss: number;
  /** d loss / d logp, one row a response. */
  gradLogp: readonly (readonly number[])[];
}

/**
 * Advantages, loss and gradient of an algorithm as it is defined: its advantage on `rewards` and `group`, then its gate and
 * regularizers with its aggregation on the token columns. Parts are looked up among `components` and the builtins; an algorithm
 * without an advantage or a gate, or with one that is unknown, is a `UsageError`.
 */
export async function runAlgorithm(algorithm: Algorithm, components: readonly ComponentClass[], inputs: Inputs): Promise<AlgorithmOutcome> {
  const { advantage, gate, regularizers = [] } = algorithm.compose;
  const partOf = (point: string, part: Part | undefined) => {
    const component = [...components, ...builtins].find((c) => metadataOf(c).point === point && metadataOf(c).id === part?.use);
    if (component === undefined) throw new UsageError(`the algorithm "${algorithm.description}" names no known ${point}`);
    const { use: _, coefficient, ...options } = part!;
    return { component, options, coefficient: coefficient as number | undefined };
  };
  const estimator = partOf("advantage", advantage);
  const estimated = await runAdvantage(estimator.component as ComponentClass<AdvantageEstimator>, estimator.options, inputs);
  const advantages = estimated.advantages as AlgorithmOutcome["advantages"];
  const terms = [partOf("gate", gate), ...regularizers.map((part) => partOf("regularizer", part))] as TermCase[];
  const aggregation = algorithm.aggregation as Aggregation | undefined;
  const { loss, gradLogp } = runTerms(terms, { ...inputs, advantages }, aggregation === undefined ? {} : { aggregation });
  return { advantages, loss, gradLogp };
}

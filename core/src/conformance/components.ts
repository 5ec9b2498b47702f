import { type ComponentClass, metadataOf } from "../extension/component.js";
import { instantiate } from "../extension/instantiate.js";
import type { AdvantageEstimator, EstimateResult, RewardModel, RewardResult, State, StepContext } from "../extension/points.js";
import type { Services } from "../extension/services.js";
import {
  type Batch,
  type ColumnAt,
  type ColumnInput,
  type ColumnSpecs,
  isStandardColumn,
  Random,
  STANDARD_COLUMNS,
} from "../rollout/index.js";
import { batchOfCase, type Inputs, type Options, tokenColumnOf } from "./case.js";

export interface CaseFacts {
  state?: State;
  step?: number;
  services?: Partial<Services>;
  specs?: ColumnSpecs;
}

function stepContext(component: { initialState?(): State }, { state, step = 0, services = {} }: CaseFacts): StepContext {
  return {
    step,
    state: state ?? component.initialState?.() ?? { version: 1 },
    services: services as Services,
    random: new Random(0),
  };
}

/** What a component declares of a column that it writes. */
function placeOf(component: ComponentClass, name: string): ColumnAt | undefined {
  const own = metadataOf(component).writes?.find((reference) => typeof reference !== "string" && reference.name === name);
  if (own !== undefined && typeof own !== "string" && "at" in own) return own.at;
  return isStandardColumn(name) ? STANDARD_COLUMNS[name].at : undefined;
}

/** Columns by name: rows as numbers, token columns as rows of numbers. */
function nestedColumns(component: ComponentClass, batch: Batch, columns: Readonly<Record<string, ColumnInput>>, ragged: boolean) {
  const nested = (name: string, given: ColumnInput): unknown => {
    // One value a token, unless rows and tokens are equally many and the case knows no tokens.
    const perToken = ArrayBuffer.isView(given) && given.length === batch.tokens && (given.length !== batch.rows || ragged);
    if (!perToken || (placeOf(component, name) ?? "token") !== "token") {
      return Array.from(given as ArrayLike<unknown>, (value) => (ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value));
    }
    const flat = given as unknown as Float64Array;
    return Array.from({ length: batch.rows }, (_, row) => Array.from(flat.subarray(batch.offsets[row]!, batch.offsets[row + 1]!)));
  };
  return Object.fromEntries(Object.entries(columns).map(([name, given]) => [name, nested(name, given)]));
}

/** Runs an advantage estimator on a case; its columns by name, state and metrics beside them. */
export async function runAdvantage(
  component: ComponentClass<AdvantageEstimator>,
  options: Options,
  inputs: Inputs,
  facts: CaseFacts = {},
): Promise<Record<string, unknown> & { state?: State }> {
  const estimator = instantiate(component, options);
  const batch = batchOfCase(inputs, facts.specs);
  const result: EstimateResult = await estimator.estimate(batch, stepContext(estimator, facts));
  const columns = nestedColumns(component, batch, result.columns, tokenColumnOf(inputs, facts.specs) !== undefined);
  return { ...columns, metrics: result.metrics, ...(result.state === undefined ? {} : { state: result.state }) };
}

/** Runs a reward model on a case: `rewards`, its components and columns by name, state and metrics. */
export async function runReward(
  component: ComponentClass<RewardModel>,
  options: Options,
  inputs: Inputs,
  facts: CaseFacts & { inner?: { rewards: ArrayLike<number>; components?: Readonly<Record<string, ArrayLike<number>>> } } = {},
): Promise<Record<string, unknown> & { rewards: (number | null)[]; state?: State }> {
  const model = instantiate(component, options);
  const batch = batchOfCase(inputs, facts.specs);
  const inner = facts.inner && {
    rewards: Float64Array.from(facts.inner.rewards),
    components: Object.fromEntries(Object.entries(facts.inner.components ?? {}).map(([name, values]) => [name, Float64Array.from(values)])),
  };
  const result: RewardResult = await model.score(batch, { ...stepContext(model, facts), ...(inner === undefined ? {} : { inner }) });
  const values = (list: ArrayLike<number | null>) => Array.from(list, (v) => (v === null || Number.isNaN(v) ? null : v));
  return {
    ...Object.fromEntries(Object.entries(result.components ?? {}).map(([name, list]) => [name, values(list)])),
    ...nestedColumns(component, batch, result.columns ?? {}, tokenColumnOf(inputs, facts.specs) !== undefined),
    rewards: values(result.rewards),
    metrics: result.metrics,
    ...(result.state === undefined ? {} : { state: result.state }),
  };
}

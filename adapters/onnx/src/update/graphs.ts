import {
  type BuiltObjective,
  type Expr,
  gradient,
  input,
  type LossProgram,
  type OptimizerOptions,
  type PolicyOutput,
  vectorJacobianProduct,
} from "@proximal/core";
import { type LoraOptions, type ParameterSpec, parameterInputs, type TransformerConfig } from "../model/index.js";
import type { Grid } from "./grid.js";
import { buildNetwork, type Network, type TokenOutputs } from "./network.js";
import { adamW } from "./optimizer.js";

/** The policy that graphs are built for. */
export interface Policy {
  config: TransformerConfig;
  /** What is trained. */
  table: readonly ParameterSpec[];
  /** What is not; none by default. */
  frozen?: readonly ParameterSpec[];
  lora?: LoraOptions;
  recompute: boolean;
  /** Graphs may use operators of the runtime that the evaluator does not know. */
  operators?: boolean;
}

/** Expressions to compute, and where the results go. */
export interface Graph {
  /** Results that replace a tensor of the training state, by that tensor's name. */
  state: ReadonlyMap<string, Expr>;
  /** Results that are read, by name. */
  results: Readonly<Record<string, Expr>>;
}

/** Outputs that carry a gradient. */
const DIFFERENTIABLE = ["logp", "entropy", "values", "hidden"] as const;
export type Differentiable = (typeof DIFFERENTIABLE)[number];

export const gradientName = (parameter: string): string => `g:${parameter}`;
export const cotangentName = (output: Differentiable): string => `cotangent:${output}`;
export const observedName = (name: string): string => `observed:${name}`;
/** Loss of the whole update, fed to the graph that applies accumulated gradients. */
export const LOSS = "loss";

interface Objective {
  network: Network;
  built: BuiltObjective;
  /** The trained ones. */
  parameters: Map<string, Expr>;
}

/** All parameters as inputs: the trained ones and, with them, the frozen ones. */
function policyParameters({ table, frozen = [] }: Policy): { parameters: Map<string, Expr>; trained: Map<string, Expr> } {
  const trained = parameterInputs(table);
  return { parameters: new Map([...trained, ...parameterInputs(frozen)]), trained };
}

function objective(policy: Policy, program: LossProgram, grid: Grid): Objective {
  const { parameters, trained } = policyParameters(policy);
  const network = buildNetwork({ ...policy, parameters, grid, outputs: program.outputs, topK: program.topK });
  return { network, built: program.build(network.dims, network.leaves), parameters: trained };
}

const reported = ({ network, built }: Objective): Record<string, Expr> => ({
  [LOSS]: built.loss,
  logp: network.tokens.logp,
  ...Object.fromEntries(Object.entries(built.observed).map(([name, x]) => [observedName(name), x])),
});

const parameterGradients = ({ built, parameters }: Objective): Expr[] => gradient(built.loss, [...parameters.values()]);

/** Everything in one: forward, objective, backward, clip and optimizer. */
export function updateGraph(
  policy: Policy,
  program: LossProgram,
  grid: Grid,
  optimizer: OptimizerOptions,
): Graph & { built: BuiltObjective } {
  const whole = objective(policy, program, grid);
  const results = reported(whole);
  const { updated, gradNorm } = adamW(
    policy.table,
    whole.parameters,
    parameterGradients(whole),
    whole.built.loss,
    Object.values(results),
    optimizer,
  );
  return { state: updated, results: { ...results, gradNorm }, built: whole.built };
}

/** Adds the gradients of a micro-batch to the accumulated ones. */
function accumulated(table: readonly ParameterSpec[], gradients: readonly Expr[]): Map<string, Expr> {
  return new Map(table.map(({ name, shape }, i) => [gradientName(name), input(gradientName(name), shape).add(gradients[i]!)]));
}

/** Gradient of a micro-batch's share of the loss, accumulated. */
export function gradientGraph(policy: Policy, program: LossProgram, grid: Grid): Graph & { built: BuiltObjective } {
  const part = objective(policy, program, grid);
  return { state: accumulated(policy.table, parameterGradients(part)), results: reported(part), built: part.built };
}

/** Gradient from given cotangents of the policy's outputs, flat over response tokens, accumulated. */
export function cotangentGraph(policy: Policy, outputs: ReadonlySet<PolicyOutput>, grid: Grid): Graph {
  const { parameters, trained } = policyParameters(policy);
  const { tokens } = buildNetwork({ ...policy, parameters, grid, outputs: new Set(DIFFERENTIABLE.filter((name) => outputs.has(name))) });
  const seeds = DIFFERENTIABLE.filter((name) => outputs.has(name)).map((name) => {
    const output = tokens[name]!;
    return { output, cotangent: input(cotangentName(name), output.shape) };
  });
  return { state: accumulated(policy.table, vectorJacobianProduct(seeds, [...trained.values()])), results: {} };
}

/** Clip and optimizer step from accumulated gradients; the loss is fed. */
export function applyGraph({ table }: Policy, optimizer: OptimizerOptions): Graph {
  const gradients = table.map(({ name, shape }) => input(gradientName(name), shape));
  const { updated, gradNorm } = adamW(table, parameterInputs(table), gradients, input(LOSS, []), [], optimizer);
  return { state: updated, results: { gradNorm } };
}

/** Policy outputs alone, flat over response tokens. */
export function scoreGraph(policy: Policy, outputs: ReadonlySet<PolicyOutput>, grid: Grid, topK?: number): Graph {
  const { config, lora, operators } = policy;
  const { tokens } = buildNetwork({ config, parameters: policyParameters(policy).parameters, lora, grid, outputs, topK, operators });
  const wanted: Record<string, Expr> = {};
  for (const name of outputs) {
    const value = tokens[name as Exclude<keyof TokenOutputs, "topK">];
    if (name === "topK") Object.assign(wanted, { candidateProbs: tokens.topK!.probs, candidateTokens: tokens.topK!.tokens });
    else if (value !== undefined) wanted[name] = value;
  }
  return { state: new Map(), results: wanted };
}

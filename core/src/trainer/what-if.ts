import type { Installation } from "../config/installation.js";
import { nearest } from "../config/nearest.js";
import { UsageError } from "../errors.js";
import type { UpdateRequest } from "../policy/index.js";
import { buildComposition, runFactsOf } from "../registry/build.js";
import { type ResolveOptions, resolveRun } from "../registry/resolve.js";
import type { Batch } from "../rollout/index.js";
import { addPolicyColumns } from "./columns.js";
import { Run } from "./run.js";
import { stepValuesOf } from "./services.js";
import { creditRows, type StepHooks, type StepOutcome } from "./step.js";
import type { RunReader } from "./store/index.js";
import { lossOn, tokenEffects } from "./token-effects.js";

export interface WhatIfOptions {
  /** An algorithm, gate, objective or advantage estimator, by id. */
  with?: string;
  /** Overrides `a.b=c` of the run's config. */
  set?: readonly string[];
}

/** What a loss makes of the rollouts in the last update of a step. null where it cannot be told from log-probs alone. */
export interface LossFacts {
  loss: number | null;
  gradNorm: number;
  /** Share of the tokens with a credit whose gradient the gate removes, and reduces to less than half of the ratio. */
  removed: number | null;
  halved: number | null;
  /** Rows that take part. */
  rows: number;
}

export interface Alternative {
  name: string;
  actual: LossFacts;
  other: LossFacts;
  /** Cosine between the two gradients. */
  cosine: number;
}

/** Compares the loss of a run with another one on the same rollouts at the same parameters: those of the step's last update. */
export class WhatIf {
  private known: Batch | undefined;
  private request: UpdateRequest | undefined;
  private gradients: { actual: Gradients; other: Gradients } | undefined;

  private constructor(
    private readonly name: string,
    private readonly run: Run,
    private readonly other: Run,
  ) {}

  static async open(run: Run, folder: RunReader, { with: name, set = [] }: WhatIfOptions, where: ResolveOptions): Promise<WhatIf> {
    const base = folder.config as Config;
    const changed = name === undefined ? base : replaced(base, name, resolveRun(base, where).installed);
    const { config } = resolveRun(changed, { ...where, set });
    const composition = await buildComposition(config, runFactsOf(config, run.policy.info));
    const { policy, teacher, data, dataColumns } = run;
    const label = [name, ...set].filter((part) => part !== undefined).join(" ");
    return new WhatIf(label, run, new Run({ settings: config, policy, teacher, composition, data, dataColumns }));
  }

  /** Watches the step, from 0, while the run computes it. */
  hooks(step: number): StepHooks {
    return {
      known: async (batch) => {
        const columns = await addPolicyColumns(this.other, batch, this.other.columnsOnHost);
        this.known = (await creditRows(this.other, columns, step)).trained;
      },
      beforeUpdate: async (request, isLast) => {
        if (!isLast) return;
        const stepValues = stepValuesOf(this.other, step, request.learningRate);
        this.request = { ...request, program: this.other.program, batch: this.partOf(request.batch), stepValues };
        this.gradients = { actual: await this.run.policy.gradients(request), other: await this.run.policy.gradients(this.request) };
      },
    };
  }

  /** The other loss's rows of the groups that the update holds. */
  private partOf({ trajectories }: Batch): Batch {
    const known = this.known!;
    const groups = new Set(trajectories.map(({ prompt }) => prompt));
    return known.select([...known.trajectories.keys()].filter((row) => groups.has(known.trajectories[row]!.prompt)));
  }

  compare({ trained, seen }: StepOutcome): Alternative {
    if (this.gradients === undefined) throw new UsageError("the step made no update: there is nothing to compare");
    const last = seen.at(-1)!;
    const batch = last.rows.length === trained.rows ? trained : trained.select(last.rows);
    const logp = new Map(
      batch.trajectories.map((trajectory, row) => [trajectory, last.logp.subarray(batch.offsets[row], batch.offsets[row + 1])]),
    );
    const { actual, other } = this.gradients;
    const otherBatch = this.request!.batch;
    const ownLogp = otherBatch.trajectories.map((trajectory) => logp.get(trajectory));
    const isKnown = ownLogp.every((values) => values !== undefined);
    const otherLogp = isKnown ? Float64Array.from(ownLogp.flatMap((values) => [...values!])) : null;
    return {
      name: this.name,
      actual: factsOf(this.run, batch, last.logp, last.stepValues, actual),
      other: factsOf(this.other, otherBatch, otherLogp, this.request!.stepValues, other),
      cosine: dot(actual, other) / Math.sqrt(dot(actual, actual) * dot(other, other)),
    };
  }
}

type Gradients = Readonly<Record<string, Float32Array>>;

function dot(a: Gradients, b: Gradients): number {
  let sum = 0;
  for (const [name, values] of Object.entries(a)) {
    const others = b[name]!;
    for (let i = 0; i < values.length; i++) sum += values[i]! * others[i]!;
  }
  return sum;
}

function factsOf(
  run: Run,
  batch: Batch,
  logp: Float64Array | null,
  stepValues: UpdateRequest["stepValues"],
  gradients: Gradients,
): LossFacts {
  const norm = Math.sqrt(dot(gradients, gradients));
  if (logp === null) return { loss: null, gradNorm: norm, removed: null, halved: null, rows: batch.rows };
  const rows = Int32Array.from({ length: batch.rows }, (_, row) => row);
  const { gate } = tokenEffects(run, batch, [{ rows, logp, stepValues }]);
  const oldLogp = batch.f64("oldLogp");
  const shares =
    gate === null ? [] : [...gate].flatMap((share, t) => (Number.isNaN(share) ? [] : [share / Math.exp(logp[t]! - oldLogp[t]!)]));
  const part = (holds: (share: number) => boolean) => (shares.length === 0 ? null : shares.filter(holds).length / shares.length);
  return {
    loss: lossOn(run.program, batch, logp, stepValues),
    gradNorm: norm,
    removed: part((share) => share === 0),
    halved: part((share) => share !== 0 && share < 0.5),
    rows: batch.rows,
  };
}

type Config = Readonly<Record<string, unknown>>;

/** The run's config with an algorithm's loss and estimator, or with one other part. */
function replaced(config: Config, name: string, installed: Installation): Config {
  const ids = (point: "gate" | "objective" | "advantage") => installed.componentsOf(point).map(({ component }) => component.id);
  const { gate, objective, advantage, regularizers, trainer, ...rest } = config;
  if (installed.algorithms.has(name)) {
    const { aggregation: _, ...others } = trainer as Config;
    return { ...rest, algorithm: name, trainer: others };
  }
  if (ids("gate").includes(name)) return { ...rest, advantage, regularizers, trainer, gate: { use: name } };
  if (ids("objective").includes(name)) return { ...rest, advantage, regularizers, trainer, objective: { use: name } };
  if (ids("advantage").includes(name)) {
    return { ...rest, ...(gate === undefined ? { objective } : { gate }), regularizers, trainer, advantage: { use: name } };
  }
  const known = [...installed.algorithms.keys(), ...ids("gate"), ...ids("objective"), ...ids("advantage")];
  const near = nearest(name, known);
  throw new UsageError(`no installed algorithm, gate, objective or advantage estimator is called "${name}"`, {
    hint: near === undefined ? "proximal plugins lists what is installed" : `did you mean "${near}"?`,
  });
}

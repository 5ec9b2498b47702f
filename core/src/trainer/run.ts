import pLimit, { type LimitFunction } from "p-limit";
import type { DataSets } from "../data/index.js";
import type { ExtensionPoint, Services, StepContext } from "../extension/index.js";
import { ObjectiveProgram } from "../objective/index.js";
import type { PolicyBackend, StepValues } from "../policy/index.js";
import { EPISODE_COLUMNS, POLICY_COLUMNS, REWARD_COLUMNS, ROLLOUT_COLUMNS, TEACHER_COLUMN } from "../registry/columns.js";
import { type ColumnSpecs, Random } from "../rollout/index.js";
import { TRAINER_SPECS } from "./columns.js";
import { componentsOf, type Placed, type RunComponents, readBy, writtenBy } from "./composition.js";
import { ServiceMeter } from "./service-meter.js";
import { type HostServices, servicesOf } from "./services.js";
import type { RunSettings } from "./settings.js";
import { States } from "./states.js";

export interface RunParts {
  settings: RunSettings;
  policy: PolicyBackend;
  /** A frozen model that scores what the policy samples. */
  teacher?: PolicyBackend;
  composition: RunComponents;
  data: DataSets;
  /** Batch columns filled from fields of the records, as column → field. */
  dataColumns?: Readonly<Record<string, string>>;
  services?: HostServices;
}

const isTerm = (point: ExtensionPoint): boolean => point === "gate" || point === "objective" || point === "regularizer";
/** Inside a graph these come from the policy itself. */
const POLICY_OUTPUT_COLUMNS: ReadonlySet<string> = new Set(["logp", "entropy", "values", "hidden", "candidateProbs", "candidateTokens"]);

/** What rollbacks changed so far. */
export interface Intervention {
  /** Rollbacks. */
  attempt: number;
  /** Of every learning rate from then on. */
  learningRateFactor: number;
}

/** Everything that a training step works with. Runs share nothing with each other. */
export class Run {
  readonly settings: RunSettings;
  readonly policy: PolicyBackend;
  readonly teacher: PolicyBackend | undefined;
  readonly composition: RunComponents;
  readonly data: DataSets;
  readonly dataColumns: Readonly<Record<string, string>>;
  readonly components: readonly Placed[];
  readonly specs: ColumnSpecs;
  readonly states: States;
  /** What rollbacks changed. */
  intervention: Intervention = { attempt: 0, learningRateFactor: 1 };
  /** The whole loss. */
  readonly program: ObjectiveProgram;
  /** Columns that sampler and reward models read: they exist before the rewards. */
  readonly earlyColumns: ReadonlySet<string>;
  /** Columns that the batch must have before the update: what components on the host and `afterUpdate` read, and constants of the loss. */
  readonly columnsOnHost: ReadonlySet<string>;
  /** Bounds the reward models that score at the same time. */
  readonly rewardLimit: LimitFunction;
  /** Judge and embedding, counted. */
  readonly meter: ServiceMeter;

  constructor({ settings, policy, teacher, composition, data, dataColumns = {}, services = {} }: RunParts) {
    this.settings = settings;
    this.policy = policy;
    this.teacher = teacher;
    this.composition = composition;
    this.data = data;
    this.dataColumns = dataColumns;
    this.rewardLimit = pLimit(settings.trainer.rewardConcurrency);
    this.meter = new ServiceMeter(composition, services);
    this.components = componentsOf(composition);
    this.specs = { ...TRAINER_SPECS, ...composition.specs };
    this.states = new States(this.components);
    const { terms } = composition;
    const hosts = this.components.filter(({ metadata }) => metadata.point === "sampler" || metadata.point === "reward");
    this.earlyColumns = readBy(hosts);
    const available = new Set([
      ...ROLLOUT_COLUMNS,
      ...POLICY_COLUMNS,
      ...REWARD_COLUMNS,
      ...(teacher === undefined ? [] : [TEACHER_COLUMN]),
      ...(composition.environment === undefined ? [] : EPISODE_COLUMNS),
      ...Object.keys(dataColumns),
      ...writtenBy(this.components),
    ]);
    this.program = new ObjectiveProgram(
      terms.map((term) => ({
        id: term.id,
        component: term.component,
        coefficient: term.coefficient,
        stepShapes: Object.fromEntries(
          Object.entries(this.stepValuesOf(term, 0, settings.optimizer.learningRate)).map(([name, value]) => [
            name,
            typeof value === "number" ? [1, 1] : value.shape,
          ]),
        ),
      })),
      {
        aggregation: composition.aggregation,
        specs: this.specs,
        available: (name) => available.has(name),
        sizes: { V: policy.info.vocabularySize, H: policy.info.hiddenSize },
        maxTokens: settings.sampling.maxTokens,
      },
    );
    const onHost = readBy(this.components.filter(({ metadata }) => !isTerm(metadata.point)));
    const afterUpdate = readBy(terms.filter(({ component }) => component.afterUpdate !== undefined));
    const constants = [...this.program.columns, ...afterUpdate].filter((name) => !POLICY_OUTPUT_COLUMNS.has(name));
    this.columnsOnHost = new Set([...onHost, ...constants]);
  }

  /** Noise and order of the run; another one after each rollback. */
  get random(): Random {
    const { attempt } = this.intervention;
    const random = new Random(this.settings.seed);
    return attempt === 0 ? random : random.fork("attempt", attempt);
  }

  /** The tensors that a component's terms read in the coming update, by name. */
  stepValuesOf(placed: Placed, step: number, learningRate: number): StepValues {
    return placed.component.stepValues?.(this.states.get(placed), { step, learningRate }) ?? {};
  }

  servicesOf(placed: Pick<Placed, "id" | "metadata">): Services {
    return servicesOf(this, placed, this.meter.services);
  }

  /** What a component is called with. Its random stream is its own, whatever other components draw. */
  contextOf(placed: Placed, step: number, states: States = this.states): StepContext {
    return {
      step,
      state: states.get(placed),
      services: this.servicesOf(placed),
      random: this.random.fork("step", step, placed.metadata.point, placed.id),
    };
  }

  async close(): Promise<void> {
    await this.composition.environment?.component.close?.();
    await this.policy.close();
    await this.teacher?.close();
  }
}

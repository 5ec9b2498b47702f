import {
  type PromiseName,
  type Random,
  ROWS,
  type SampleContext,
  type SampleResult,
  type Sampler,
  STRUCTURE,
  type State,
  toJson,
  tracked,
  wasRead,
} from "@proximal/core";
import { check, sampleContext } from "@proximal/core/testing";
import { type Check, type Effort, promiseCheck, type Work } from "./check.js";
import { optionSets } from "./options.js";
import { servicesFor } from "./services.js";
import { sameState } from "./state.js";
import { build, declaredReads, declaredWrites, FACTS, type Subject } from "./subject.js";

interface How {
  options?: Readonly<Record<string, unknown>>;
  state?: State;
  step?: number;
  seed?: number;
  prompts?: number;
  instance?: Sampler;
  reward?: () => number;
  seen?: Set<string>;
}

async function collect(subject: Subject<Sampler>, how: How = {}): Promise<SampleResult> {
  const { options = {}, step = 0, seed = 1, prompts = 8, seen, reward } = how;
  const sampler = how.instance ?? build(subject, options);
  const state = how.state ?? sampler.initialState?.() ?? { version: 0 };
  const texts = subject.examples.completions;
  const context = sampleContext({
    state,
    prompts: Array.from({ length: prompts }, (_, i) => ({
      id: `p${i}`,
      text: `question ${i}`,
      tokens: Int32Array.of(1, 2, 3),
      golds: ["4", "42"].slice(0, 1 + (i % 2)),
      fields: { solution: "first 4, then 2", hint: "count", level: i, ...subject.examples.fields },
    })),
    step,
    seed,
    maxTokens: FACTS.maxTokens,
    specs: subject.specs,
    ...(reward === undefined ? {} : { reward }),
    ...(texts === undefined ? {} : { respond: (_: unknown, random: Random) => texts[random.integer(texts.length)]! }),
  });
  const given: SampleContext = {
    ...context,
    services: servicesFor(subject.metadata.requires),
    score: async (groups) => {
      const batch = await context.score(groups);
      return seen === undefined ? batch : tracked(batch, seen);
    },
  };
  return sampler.collect(given);
}

const digest = ({ groups, batch, metrics }: SampleResult): string =>
  toJson({
    metrics,
    groups: groups.map(({ prompt, trajectories }) => [prompt.id, trajectories.map(({ text }) => text)]),
    rows: batch.trajectories.map(({ tokens, mask }) => [[...tokens], [...mask]]),
  });

/** Promises of a sampler. */
export function samplerChecks(subject: Subject<Sampler>, effort: Effort): Check[] {
  const { name, metadata } = subject;
  const one = (promise: PromiseName, go: Work) => promiseCheck(name, promise, metadata.exceptions?.[promise], go, effort);
  const sound = (result: SampleResult, where: string) => {
    const rows = result.groups.flatMap(({ trajectories }) => [...trajectories]);
    check(result.batch.rows === rows.length, `${where}: its batch has ${result.batch.rows} rows, its groups ${rows.length}`);
    check(result.batch.has("rewards"), `${where}: its batch holds no rewards`);
    for (const [metric, value] of Object.entries(result.metrics))
      check(Number.isNaN(value) || Number.isFinite(value), `${where}: the metric ${metric} is ${value}`);
  };
  return [
    one("deterministic", async () => {
      for (const seed of Array.from({ length: effort.runs }, (_, i) => i + 1)) {
        const [a, b] = [await collect(subject, { seed }), await collect(subject, { seed })];
        sound(a, `seed ${seed}`);
        check(digest(a) === digest(b), `seed ${seed}: a second call gives other groups`);
      }
    }),
    one("degenerate", async () => {
      const cases: Readonly<Record<string, How>> = {
        "all rewards 0": { reward: () => 0 },
        "all rewards 1": { reward: () => 1 },
        "no reward can be verified": { reward: () => Number.NaN },
        "one prompt": { prompts: 1 },
      };
      for (const [where, how] of Object.entries(cases)) sound(await collect(subject, how), where);
    }),
    one("borders", async () => {
      for (const { title, options } of optionSets(subject)) {
        try {
          sound(await collect(subject, { options }), "ordinary prompts");
        } catch (error) {
          throw new Error(`with ${title}: ${(error as Error).message}`, { cause: error });
        }
      }
    }),
    one("state", async () => {
      const instance = build(subject);
      const go = async (from: State, steps: readonly number[], used: Sampler): Promise<State> => {
        let current = from;
        for (const step of steps) {
          const before = toJson(current);
          const { state } = await collect(subject, { state: current, step, instance: used, prompts: 40 });
          check(toJson(current) === before, "it changes the state that it is given instead of returning a new one");
          current = state;
        }
        return current;
      };
      const state = instance.initialState?.();
      if (state === undefined) return;
      check(toJson(state) === toJson(instance.initialState!()), "initialState differs from call to call");
      await sameState(
        await go(state, [0, 1], instance),
        (from, used) => go(from, [2, 3], used),
        () => build(subject),
        instance,
      );
    }),
    one("reads", async () => {
      const [read, declared] = [new Set<string>(), new Set<string>()];
      const writes = declaredWrites(subject);
      for (const { title, options } of [{ title: "the defaults", options: {} }, ...optionSets(subject)]) {
        const seen = new Set<string>();
        const names = declaredReads(subject, options);
        await collect(subject, { options, seen });
        const undeclared = [...seen].filter((column) => !names.has(column) && column !== ROWS && !writes.has(column));
        check(undeclared.length === 0, `with ${title} it reads ${undeclared.join(", ")}, which its reads do not name`);
        for (const column of names) if (!STRUCTURE.has(column)) declared.add(column);
        for (const column of seen) read.add(column);
      }
      return [...declared].filter((column) => !wasRead(column, read)).map((column) => `it declares to read "${column}" and never does`);
    }),
  ];
}

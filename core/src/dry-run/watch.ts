import type { ResolvedComponent } from "../config/component.js";
import type { SampleContext } from "../extension/index.js";
import type { Batch, Prompt } from "../rollout/index.js";
import { tracked } from "../rollout/tracked.js";
import type { Placed, RunComponents } from "../trainer/index.js";

/** What a method is called with in place of what it is given. */
type Change = (given: unknown[]) => unknown[];

/** What was asked for while a step ran. */
export class Watch {
  /** Options that code read, as `path.option`. */
  readonly options = new Set<string>();
  /** Columns that a component asked for. */
  readonly columns = new Set<string>();
  /** Fields of the records that a component or a data column asked for. */
  readonly fields = new Set<string>();

  /** The options of a component, noting which of them are read. Nested values count with their option. */
  watchOptions = (part: ResolvedComponent, options: Record<string, unknown>): Record<string, unknown> =>
    new Proxy(options, {
      get: (target, key, receiver) => {
        if (typeof key === "string") this.options.add(`${part.path}.${key}`);
        return Reflect.get(target, key, receiver) as unknown;
      },
    });

  /** A prompt whose record notes which of its fields are read. */
  watchPrompt = (prompt: Prompt): Prompt => {
    const { fields } = this;
    return {
      ...prompt,
      fields: new Proxy(prompt.fields, {
        get(target, key, receiver) {
          if (typeof key === "string") fields.add(key);
          return Reflect.get(target, key, receiver) as unknown;
        },
      }),
    };
  };

  /** The components of a run, noting which columns of a batch they ask for. */
  watchComponents(components: RunComponents): RunComponents {
    const { columns } = this;
    const around = <C extends object>(placed: Placed<C>, methods: Readonly<Record<string, Change>>): C =>
      new Proxy(placed.component, {
        get: (target, key, receiver) => {
          const value: unknown = Reflect.get(target, key, receiver);
          const change = methods[String(key)];
          if (typeof value !== "function") return value;
          const method = value as (...given: unknown[]) => unknown;
          return (...given: unknown[]) => method.apply(target, change === undefined ? given : change(given));
        },
      });
    const first: Change = ([batch, ...rest]) => [tracked(batch as Batch, columns), ...rest];
    const afterUpdate: Change = ([given]) => [{ ...(given as object), batch: tracked((given as { batch: Batch }).batch, columns) }];
    const scoring: Change = ([given]) => {
      const context = given as SampleContext;
      return [
        { ...context, score: async (groups: Parameters<SampleContext["score"]>[0]) => tracked(await context.score(groups), columns) },
      ];
    };
    const rewards = (parts: RunComponents["rewards"]): RunComponents["rewards"] =>
      parts.map((part) => ({ ...part, inner: rewards(part.inner), component: around(part, { score: first, afterUpdate }) }));
    const { sampler, advantage, terms } = components;
    return {
      ...components,
      sampler: { ...sampler, component: around(sampler, { collect: scoring, afterUpdate }) },
      rewards: rewards(components.rewards),
      advantage: advantage && { ...advantage, component: around(advantage, { estimate: first, afterUpdate }) },
      terms: terms.map((term) => ({ ...term, component: around(term, { afterUpdate }) })),
    };
  }
}

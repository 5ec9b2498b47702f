import {
  type ComponentClass,
  type ComponentOptions,
  type Environment,
  type Exported,
  type ExportedRecord,
  type Exporter,
  environment,
  exporter,
  PROMISES,
  type PromiseName,
  type StepRecord,
  type TurnOutcome,
  type Watchdog,
  watchdog,
} from "@proximal/core";
import { expect } from "chai";
import { pluginChecks, runChecks } from "../src/index.js";

const broken = async (component: ComponentClass, examples = {}): Promise<string[]> =>
  (await runChecks(pluginChecks({ components: [component] }, { examples }))).filter(({ passed }) => !passed).map(({ promise }) => promise);
const sentences = (names: readonly PromiseName[]) => names.map((name) => PROMISES[name]);

interface Count {
  asked: number;
}

/** A world that counts its turns and ends after three, but for what `given` changes. */
function world(given: Partial<Environment<Count>> = {}, meta: Partial<ComponentOptions> = {}): ComponentClass {
  @environment({ id: "world", writes: [{ name: "asked", at: "row", dtype: "i32" }], ...meta })
  class World implements Environment<Count> {
    readonly endOfTurn: readonly string[] = ["?"];
    reset(): Count {
      return { asked: 0 };
    }
    step({ state, turn }: { state: Count; turn: number }): TurnOutcome<Count> {
      return { state: { asked: state.asked + 1 }, observation: `no ${turn}`, done: turn === 2 };
    }
    columns = ({ asked }: Count) => ({ asked });
    constructor() {
      Object.assign(this, given);
    }
  }
  return World;
}

/** A watchdog of a loss above 10. */
function dog(check: Watchdog["check"]): ComponentClass {
  @watchdog({ id: "dog" })
  class Dog implements Watchdog {
    check = check;
  }
  return Dog;
}
const lossOf = (history: readonly StepRecord[]) => history.at(-1)!.loss ?? 0;
const barks = (loss: number) => (loss > 10 ? `the loss is ${loss}` : null);
const histories = { "watchdog:dog": { quiet: [{ loss: 1 }, { loss: 9 }], trouble: [{ loss: 1 }, { loss: 11 }] } };

/** An exporter into memory, by folder. */
const memory = new Map<string, Map<number, Record<string, number>>>();
function store(given: Partial<Exporter> = {}): ComponentClass {
  @exporter({ id: "store" })
  class Store implements Exporter {
    private held = new Map<number, Record<string, number>>();
    open({ folder, from }: Parameters<Exporter["open"]>[0]): void {
      this.held = new Map([...(memory.get(folder) ?? [])].filter(([step]) => step <= from));
      memory.set(folder, this.held);
    }
    write(records: readonly ExportedRecord[]): void {
      for (const { step, values } of records)
        this.held.set(step, Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null)));
    }
    close(): void {}
    constructor() {
      Object.assign(this, given);
    }
  }
  return Store;
}
const exported = { "exporter:store": (folder: string): Exported => memory.get(folder)! };

describe("the test kit, beside the loss", () => {
  const sound: [what: string, component: ComponentClass, examples?: object][] = [
    ["environment", world()],
    ["watchdog", dog((history) => barks(lossOf(history))), { histories }],
    ["exporter", store(), { exported }],
  ];
  for (const [what, component, examples] of sound)
    it(`finds nothing wrong with a right ${what}`, async () => expect(await broken(component, examples)).to.deep.equal([]));

  let calls = 0;
  const state = { asked: 0 };
  const worlds: [defect: string, component: ComponentClass, promises: PromiseName[]][] = [
    [
      "an answer that depends on earlier episodes",
      world({ step: ({ state: { asked } }) => ({ state: { asked }, observation: `${calls++}`, done: asked > 2 }) }),
      ["deterministic", "state", "episodes"],
    ],
    [
      "a state that it changes in place",
      world({
        reset: () => state,
        step: (turn) => {
          turn.state.asked++;
          return { state: turn.state, done: true };
        },
      }),
      ["deterministic", "state", "hostile"],
    ],
    [
      "a memory beside the state",
      world({
        reset: () => ({ asked: 0, seen: new Map([["a", 1]]) }),
        step: ({ state }) => ({ state, done: "seen" in state && (state.seen as Map<string, number>).size === 1 }),
      }),
      ["state"],
    ],
    [
      "a turn that it does not bear",
      world({ step: ({ text, state }) => ({ state: JSON.parse(`[${text.length / 0}]`) && state, done: true }) }),
      ["hostile"],
    ],
    [
      "an observation that is none",
      world({ step: ({ state }) => ({ state, observation: 4 as unknown as string, done: false }) }),
      ["hostile"],
    ],
    ["an end that is not told", world({ step: ({ state }) => ({ state }) as TurnOutcome<Count> }), ["hostile"]],
    ["an end of turn that is empty", world({ endOfTurn: [""] }), ["episodes"]],
    ["a column that it does not declare", world({}, { writes: [] }), ["reads"]],
    ["a column of another type", world({ columns: () => ({ asked: 0.5 }) }), ["reads"]],
    [
      "a service that it does not name",
      world({ reset: (_, { services }) => ({ asked: services.judge === undefined ? 0 : 1 }) }),
      ["reads"],
    ],
  ];
  for (const [defect, component, promises] of worlds)
    it(`finds in an environment ${defect}`, async () => expect(await broken(component)).to.include.members(sentences(promises)));

  const dogs: [defect: string, component: ComponentClass, promises: PromiseName[]][] = [
    [
      "a memory of earlier steps",
      dog(function (this: { worst?: number }, history) {
        this.worst = Math.max(this.worst ?? 0, lossOf(history));
        return barks(this.worst);
      }),
      ["state"],
    ],
    ["an alarm in a good run", dog((history) => (lossOf(history) > 5 ? "high" : null)), ["trigger"]],
    ["silence in trouble", dog(() => null), ["trigger"]],
    ["a sentence about what does not exist", dog((history) => `the loss is ${history.at(-1)!.loss}`), ["hostile"]],
    ["a metric that it takes for granted", dog((history) => barks(Number(history.at(-1)!.loss!.toFixed(1)))), ["hostile"]],
    [
      "a history that it changes",
      dog((history) => {
        (history as StepRecord[]).pop();
        return null;
      }),
      ["deterministic"],
    ],
  ];
  for (const [defect, component, promises] of dogs)
    it(`finds in a watchdog ${defect}`, async () => expect(await broken(component, { histories })).to.include.members(sentences(promises)));
  it("asks for the run that a watchdog speaks at", async () =>
    expect(await broken(dog((history) => barks(lossOf(history))))).to.deep.equal(sentences(["trigger"])));

  const stores: [defect: string, component: ComponentClass, promises: PromiseName[]][] = [
    ["records that never arrive", store({ write: () => {} }), ["delivery"]],
    [
      "a name that it does not bear",
      store({
        write: (records) => {
          if (records.some(({ values }) => Object.keys(values).some((name) => name.includes("\n") || name === ""))) throw new Error("odd");
        },
      }),
      ["hostile", "delivery"],
    ],
    [
      "records that it changes",
      store({
        write: (records) => {
          for (const { values } of records) (values as Record<string, number | null>).seen = 1;
        },
      }),
      ["delivery", "hostile"],
    ],
    [
      "a failure that is no error",
      store({
        open: ({ folder }) => {
          if (folder.includes("a file")) throw "no folder";
        },
      }),
      ["failure"],
    ],
  ];
  for (const [defect, component, promises] of stores)
    it(`finds in an exporter ${defect}`, async () => expect(await broken(component, { exported })).to.include.members(sentences(promises)));
});

import { expect } from "chai";
import { inject } from "tsyringe";
import { instantiate, OPTIONS, options, PluginError, type RunFacts, runFacts, Type, watchdog } from "../../src/index.js";

const schema = Type.Object({ limit: Type.Number({ default: 3 }) });
type Options = { limit: number };

/** A watchdog whose constructor is the given class's. */
const meta = { id: "dog", options: schema };

describe("the constructor of a component", () => {
  it("takes options, facts and tokens by name, those of the class that it extends among them", () => {
    @watchdog(meta)
    class Dog {
      constructor(
        @options() readonly o: Options,
        @runFacts() readonly facts: RunFacts,
        @inject(OPTIONS) readonly again: Options,
      ) {}
      check = () => null;
    }
    @watchdog({ ...meta, id: "puppy" })
    class Puppy extends Dog {}
    for (const target of [Dog, Puppy]) {
      const { o, facts, again } = instantiate(target) as Dog;
      expect(o.limit).to.equal(3);
      expect(facts.maxTokens).to.equal(1);
      expect(again).to.equal(o);
    }
  });

  it("is refused, with the parameter's place, when nothing says what a parameter is", () => {
    class Dog {
      constructor(
        @options() readonly o: Options,
        readonly limit: number,
      ) {}
      check = () => null;
    }
    expect(() => watchdog(meta)(Dog))
      .to.throw(PluginError, 'watchdog "dog": nothing says what parameter 2 of the constructor of Dog is')
      .with.nested.property("details.accepted")
      .that.includes("@options()");
  });
});

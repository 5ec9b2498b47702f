import { expect } from "chai";
import fc from "fast-check";
import { nearest } from "../../src/config/nearest.js";

const NAMES = [
  "learningRate",
  "warmupSteps",
  "temperature",
  "maxTokens",
  "groupSize",
  "promptsPerStep",
  "clipLow",
  "clipHigh",
  "aggregation",
];

describe("the nearest name", () => {
  const edit = fc.tuple(
    fc.constantFrom(...NAMES),
    fc.nat(),
    fc.constantFrom("drop", "double", "replace", "swap"),
    fc.constantFrom("q", "z", "7"),
  );

  it("of a name with one slip of the finger is that name", () => {
    fc.assert(
      fc.property(edit, ([name, place, kind, letter]) => {
        const at = place % (name.length - 1);
        const [head, a, b, tail] = [name.slice(0, at), name[at]!, name[at + 1]!, name.slice(at + 2)];
        const slips = {
          drop: head + b + tail,
          double: head + a + a + b + tail,
          replace: head + letter + b + tail,
          swap: head + b + a + tail,
        };
        expect(nearest(slips[kind as keyof typeof slips], NAMES)).to.equal(name);
      }),
    );
  });

  it("does not depend on case, hyphens or underscores", () => {
    fc.assert(
      fc.property(fc.constantFrom(...NAMES), fc.constantFrom("-", "_"), (name, separator) => {
        const spelled = name.replaceAll(/[A-Z]/g, (capital) => separator + capital.toLowerCase());
        expect(nearest(spelled, NAMES)).to.equal(name);
        expect(nearest(name.toUpperCase(), NAMES)).to.equal(name);
      }),
    );
  });

  it("of an unrelated word is none", () => {
    for (const word of ["banana", "x", "", "completelyDifferentThing"]) expect(nearest(word, NAMES)).to.equal(undefined);
  });
});

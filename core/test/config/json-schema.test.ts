import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "chai";
import { type JsonSchema, publishedSchema } from "../../src/config/json-schema.js";
import { Type } from "../../src/index.js";

describe("a published schema", () => {
  const tuple = publishedSchema(Type.Object({ ranges: Type.Array(Type.Tuple([Type.Number(), Type.String()])) }));
  const table: [string, JsonSchema, unknown, boolean][] = [
    ["takes a tuple of the right items", tuple, { ranges: [[1, "a"]] }, true],
    ["refuses a tuple with an item too many", tuple, { ranges: [[1, "a", 2]] }, false],
    ["refuses a tuple with an item missing", tuple, { ranges: [[1]] }, false],
    ["refuses a tuple with items of another type", tuple, { ranges: [["a", 1]] }, false],
    ["refuses unknown keys", tuple, { ranges: [], range: [] }, false],
  ];
  for (const [what, schema, value, accepted] of table) {
    it(what, () => expect(new Ajv2020({ strict: false }).validate(schema, value)).to.equal(accepted));
  }
});

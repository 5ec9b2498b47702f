import { CharTokenizer, defineAdapter, type Static, TabularPolicy, Type } from "@proximal/core";

export const modelSchema = Type.Object(
  {
    alphabet: Type.String({ minLength: 1, description: "The characters of prompts and responses; each is a token" }),
    spread: Type.Number({ default: 0, minimum: 0, description: "Standard deviation of the initial logits; 0 = all tokens equally likely" }),
    seed: Type.Integer({ default: 1, description: "Of the initial logits; not the run's seed" }),
  },
  { additionalProperties: false },
);
export const engineSchema = Type.Object({}, { additionalProperties: false });

/** A row of logits for each (prompt, position): no network, nothing is shared between prompts. */
const tableAdapter = defineAdapter({
  id: "table",
  description: "A table of logits, one row for each prompt and position, trained in float64",
  modelSchema,
  engineSchema,
  async open({ model, optimizer }) {
    const { alphabet, spread = 0, seed = 1 } = model as Static<typeof modelSchema>;
    return new TabularPolicy({ tokenizer: new CharTokenizer(alphabet), optimizer, spread, seed });
  },
});

export default tableAdapter;

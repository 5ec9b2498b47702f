/** Code of an engine package that trains a table of logits; `delay` slows every update down, milliseconds. */
export const TABLE_ENGINE = `
import { defineAdapter, Type } from "@proximal/core";
import { CharTokenizer } from "${new URL("char-tokenizer.js", import.meta.url).href}";
import { TabularPolicy } from "${new URL("tabular-policy.js", import.meta.url).href}";
export default defineAdapter({
  id: "table",
  description: "A table of logits",
  modelSchema: Type.Object({ alphabet: Type.String() }),
  engineSchema: Type.Object({ delay: Type.Number({ default: 0 }) }),
  open: async ({ model, engine, optimizer }) => {
    const policy = new TabularPolicy({ tokenizer: new CharTokenizer(model.alphabet), optimizer });
    const update = policy.update.bind(policy);
    policy.update = async (request) => {
      await new Promise((done) => setTimeout(done, engine.delay));
      return update(request);
    };
    return policy;
  },
});
`;

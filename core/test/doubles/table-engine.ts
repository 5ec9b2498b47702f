/** Code of an engine package that trains a table of logits; `delay` slows every update down, milliseconds. */
export const TABLE_ENGINE = `
import { CharTokenizer, defineAdapter, TabularPolicy, Type } from "@proximal/core";
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

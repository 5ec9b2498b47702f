import { type Batch, Random, SERVICES, type ServiceName, type Services } from "@proximal/core";

const wordOf = (text: string): number => new Random(1).fork(text).key();

/** Stand-ins that depend on nothing but their arguments. */
const stand: Services = {
  embed: async (texts) =>
    texts.map((text) => {
      const angle = wordOf(text) / 1e3;
      return [Math.cos(angle), Math.sin(angle)];
    }),
  judge: async (requests) =>
    requests.map(({ prompt, completion, rubric = "" }) => {
      const grade = (wordOf(`${prompt}|${completion}|${rubric}`) % 5) / 4;
      return completion === "" ? null : grade;
    }),
  scoreTokens: async (batch, { prompts, responses, temperature = 1 } = {}) => {
    const rows = responses ?? batch.trajectories.map(({ tokens }) => tokens);
    const scores = rows.map((tokens, row) =>
      Array.from(tokens, (id, t) => -(0.2 + ((7 * id + t) % 5) / 4 + (prompts?.[row]?.length ?? 0) / 100)),
    );
    return Float64Array.from(scores.flat(), (logp) => logp / temperature);
  },
  policyGradient: async (batch, advantages) => {
    const perToken = advantages.length === batch.tokens ? Float64Array.from(advantages) : batch.repeat(advantages);
    return Float32Array.from({ length: 6 }, (_, i) => perToken.reduce((sum, a, t) => sum + a * Math.sin(t * (i + 1) + i), 0));
  },
  functions:
    () =>
    ({ prompt, completion }) =>
      completion === "" ? null : (wordOf(`${prompt}|${completion}`) % 5) / 4,
  likelihoodGradient: async (batch: Batch, parameters = ["head"]) =>
    Object.fromEntries(parameters.map((name) => [name, Float32Array.from({ length: 4 }, (_, i) => Math.sin(batch.tokens * (i + 1)))])),
};

/** The services that a component requires; touching another one is its mistake. */
export function servicesFor(required: readonly ServiceName[] = [], used: Set<ServiceName> = new Set()): Services {
  const services = {};
  for (const name of SERVICES) {
    Object.defineProperty(services, name, {
      get: () => {
        if (!required.includes(name)) throw new Error(`it uses the service "${name}" without naming it in its requires`);
        used.add(name);
        return stand[name];
      },
    });
  }
  return services as Services;
}

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { expect } from "chai";
import { composeRunSchema } from "../../src/config/run-schema.js";
import { discover } from "../../src/registry/discover.js";
import { resolveConfig } from "../../src/registry/resolve.js";
import { type Sandbox, softProject } from "../registry/sandbox.js";

const BASE = { model: { checkpoint: "m" }, data: { train: "a.jsonl" }, algorithm: "soft" };

describe("the run schema for editors", () => {
  let project: Sandbox;
  let check: ValidateFunction;
  before(async () => {
    project = await softProject();
    check = new Ajv2020({ strict: false, validateFormats: false }).compile(composeRunSchema(discover([project.folder])));
  });
  after(() => project.remove());

  const accepts = (config: object): boolean => {
    try {
      resolveConfig(config, { cwd: project.folder });
      return true;
    } catch {
      return false;
    }
  };

  const table: [accepted: boolean, config: object][] = [
    [true, {}],
    [true, { $schema: "run.schema.json" }],
    [true, { gate: { use: "soft", tauPos: 2 } }],
    [true, { gate: { tauPos: 2 } }],
    [true, { gate: { use: "clip", clipLow: null, coefficient: 2 } }],
    [true, { rewards: [{ use: "scaled", factor: 3, inner: [{ use: "exact-match", weight: 0.1 }] }] }],
    [true, { engine: { use: "toy", threads: 3 } }],
    [true, { trainer: { aggregation: "seq-mean-token-sum-norm" } }],
    [true, { trainer: { aggregation: { kind: "seq-mean-token-sum-norm", fixedLength: 10 } } }],
    [false, { gate: { use: "soft", tauPoz: 2 } }],
    [false, { gate: { use: "soft", clipLow: 0.2 } }],
    [false, { gate: { use: "kl" } }],
    [false, { rewards: [{ weight: 2 }] }],
    [false, { rewards: [{ use: "scaled", inner: [{ use: "exact-match", wieght: 0.1 }] }] }],
    [false, { rewards: [{ use: "format" }] }],
    [false, { engine: { use: "toy", threads: 0 } }],
    [false, { engine: { use: "none" } }],
    [false, { model: { checkpoint: 3 } }],
    [true, { teacher: { checkpoint: "t" } }],
    [false, { teacher: { checkpoint: "t", layers: "many" } }],
    [false, { algorithm: "none" }],
    [false, { seeds: 1 }],
    [false, { trainer: { aggregation: { kind: "token-mean", fixedLength: 10 } } }],
    [false, { trainer: { aggregation: "scalar" } }],
  ];
  for (const [accepted, config] of table) {
    it(`${accepted ? "accepts" : "refuses"}, as the host does, ${JSON.stringify(config)}`, () => {
      const whole = { ...BASE, ...config };
      expect([check(whole), accepts(whole)]).to.deep.equal([accepted, accepted]);
    });
  }
});

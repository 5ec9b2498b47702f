import { defineConformance, evaluate, input, runTerms } from "@proximal/core";
import { actorLoss, exactKlLoss, softValue, withGradients } from "./control.js";
import { MirrorDescentGate } from "./gate.js";

const matrix = (rows: number[][]) => ({ shape: [rows.length, rows[0]?.length ?? 0], data: Float64Array.from(rows.flat()) });
const vector = (values: number[]) => ({ shape: [values.length], data: Float64Array.from(values) });

export default defineConformance({
  // The step size of a case is used as it stands.
  "gate/tokens": (options, inputs) =>
    runTerms({ component: MirrorDescentGate, options: { ...options, stepSizeSchedule: "constant" } }, inputs),
  "gate/exactKl": ({ stepSize = 1 }, inputs) => {
    const logits = matrix(inputs.logits as number[][]);
    const [N, A] = logits.shape as [number, number];
    const x = input("logits", [N, A]);
    const loss = exactKlLoss(x, input("oldLogits", [N, A]), input("actions", [N], "int"), input("advantages", [N]), Number(stepSize));
    const [value, gradLogits] = evaluate(withGradients(loss, [x]), {
      logits,
      oldLogits: matrix(inputs.oldLogits as number[][]),
      actions: { shape: [N], data: Int32Array.from(inputs.actions as number[]) },
      advantages: vector(inputs.advantages as number[]),
    });
    const flat = Array.from(gradLogits!.data);
    return { loss: value!.data[0], gradLogits: Array.from({ length: N }, (_, i) => flat.slice(i * A, (i + 1) * A)) };
  },
  "objective/actorLoss": ({ klCoef = 1, entropyCoef = 0.2, tsallisQ = 1 }, inputs) => {
    const names = ["logProbs", "oldLogProbs", "q"] as const;
    const feeds = Object.fromEntries(names.map((name) => [name, vector(inputs[name] as number[])]));
    const variables = names.map((name) => input(name, feeds[name]!.shape));
    const [logProbs, oldLogProbs, q] = variables;
    const o = { klCoef: Number(klCoef), entropyCoef: Number(entropyCoef), tsallisQ: Number(tsallisQ) };
    const results = evaluate(withGradients(actorLoss(logProbs!, oldLogProbs!, q!, o), variables), feeds);
    const [loss, gradLogProbs, gradOldLogProbs, gradQ] = results.map(({ data }) => Array.from(data));
    return { loss: loss![0], gradLogProbs, gradOldLogProbs, gradQ };
  },
  "objective/softValue": ({ entropyCoef = 0.2 }, { q1, q2, logProbs }) => ({
    valueTarget: (logProbs as number[]).map((logp, i) => softValue((q1 as number[])[i]!, (q2 as number[])[i]!, logp, Number(entropyCoef))),
  }),
});

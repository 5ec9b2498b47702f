import { defineConformance, type Inputs, runTerms } from "@proximal/core";
import { CapoGate } from "./gate.js";
import { type MomentState, noMoments } from "./moments.js";

interface SparseMoments {
  step: number;
  m: Record<string, number[]>;
  v: Record<string, number[]>;
}

/** Moments by vocabulary id as dense rows. */
function dense({ step, m, v }: SparseMoments, vocabularySize: number, hiddenSize: number): MomentState {
  const state = noMoments(vocabularySize * hiddenSize);
  for (const [id, row] of Object.entries(m)) state.m.set(row, Number(id) * hiddenSize);
  for (const [id, row] of Object.entries(v)) state.v.set(row, Number(id) * hiddenSize);
  return { ...state, step };
}

/** A case names the chosen candidate by its index; a run knows the sampled token. */
function sampledTokens({ candidateTokens, candidateIndex }: Inputs): number[][] {
  const index = candidateIndex as number[][];
  return (candidateTokens as number[][][]).map((row, i) => row.map((ids, t) => ids[index[i]![t]!]!));
}

export default defineConformance({
  gate: (options, inputs) => {
    const given = (inputs.state ?? { step: 0, m: {}, v: {} }) as SparseMoments;
    const ids = [...(inputs.candidateTokens as number[][][]).flat(2), ...Object.keys({ ...given.m, ...given.v }).map(Number)];
    const vocabularySize = 1 + Math.max(0, ...ids);
    const hiddenSize = [...(inputs.hidden as number[][][]).flat(), ...Object.values(given.m)][0]?.length ?? 1;
    const { loss, gradLogp, perToken } = runTerms(
      { component: CapoGate, options, state: dense(given, vocabularySize, hiddenSize) },
      { ...inputs, tokens: sampledTokens(inputs) },
      { learningRate: Number(inputs.learningRate), run: { vocabularySize, hiddenSize } },
    );
    return { loss, gradLogp, mH: perToken["capo.mH"], mF: perToken["capo.mF"], keep: perToken["capo.keep"] };
  },
});

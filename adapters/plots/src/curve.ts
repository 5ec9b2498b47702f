import {
  type Context,
  evaluateProgram,
  instantiate,
  type LossComponent,
  lossPart,
  ObjectiveProgram,
  type StepExpressions,
  type StepValues,
  type Term,
} from "@proximal/core";
import { minimalBatch, notesOf, type Sign } from "./context.js";
import { type OpenGate, ownSpecs } from "./gate.js";

export interface CurvePoint {
  ratio: number;
  /** What the gate lets the policy maximise: less its loss. */
  surrogate: number;
  /** Derivative of the gradient that is applied, with respect to the ratio: -(d loss / d logp) / ratio. */
  slope: number;
}

export interface GateCurve {
  gate: OpenGate;
  range: readonly [low: number, high: number];
  /** Advantage 1, and -1. */
  positive: CurvePoint[];
  negative: CurvePoint[];
  /** What holds at every point of the curve. */
  notes: string[];
}

export interface CurveOptions {
  /** Ratios to show; around the gate's bounds when left out. */
  range?: readonly [low: number, high: number];
  /** Evenly spaced ratios; more are added where a curve turns or jumps. */
  points?: number;
}

const VALUE = "plottedValue";

/** The gate with its value per token reported and summed, whatever its aggregation divides by. A scalar loss stays as it is. */
const summed = (gate: LossComponent): LossComponent => ({
  ...(gate.initialState === undefined ? {} : { initialState: () => gate.initialState!() }),
  ...(gate.stepValues === undefined ? {} : { stepValues: (state, facts) => gate.stepValues!(state, facts) }),
  terms: (context: Context, values: StepExpressions): Term[] =>
    [gate.terms(context, values)]
      .flat()
      .map((term, i) =>
        term.aggregation === "scalar"
          ? { ...term, perToken: {} }
          : { ...term, aggregation: "token-sum", perToken: { [`${VALUE}${i}`]: term.value } },
      ),
});

/** The gate's own expressions in float64, at any ratio. */
class GateEvaluator {
  /** Responses in the batch: 2 where the gate looks at more of the batch than one response. */
  readonly rows: 1 | 2;
  private readonly program: ObjectiveProgram;
  private readonly stepValues: StepValues;

  constructor(readonly gate: OpenGate) {
    const { component, options, reads } = gate;
    const { part, stepValues } = lossPart({ id: "gate", component: summed(instantiate(component, options)) });
    const probe = minimalBatch(reads, { rows: 1, ratio: 1, sign: 1 });
    this.stepValues = stepValues;
    this.program = new ObjectiveProgram([part], {
      aggregation: "token-sum",
      specs: ownSpecs(reads),
      available: (name) => probe.has(name),
      sizes: { V: 1, H: 1 },
      maxTokens: 1,
    });
    this.rows = this.program.span === "token" || this.program.span === "row" ? 1 : 2;
  }

  at(ratio: number, sign: Sign, oldLogp?: number): CurvePoint {
    const batch = minimalBatch(this.gate.reads, { rows: this.rows, ratio, sign, oldLogp });
    const { loss, gradLogp, perToken } = evaluateProgram(this.program, batch, this.stepValues);
    const own = Object.entries(perToken).filter(([name]) => name.startsWith(`gate.${VALUE}`));
    const value = own.length === 0 ? loss : own.reduce((sum, [, rows]) => sum + rows[0]![0]!, 0);
    return { ratio, surrogate: 0 - value, slope: 0 - gradLogp[0]![0]! / ratio };
  }
}

const REFINEMENTS = 60;

/** Surrogate and slope against the ratio for advantages of 1 and -1, evaluated in float64 from the gate's own expression. */
export function gateCurve(gate: OpenGate, { range, points = 81 }: CurveOptions = {}): GateCurve {
  const evaluator = new GateEvaluator(gate);
  const [low, high] = range ?? usefulRange(evaluator);
  const curve = (sign: Sign): CurvePoint[] => {
    const even = Array.from({ length: points }, (_, i) => evaluator.at(low + ((high - low) * i) / (points - 1), sign));
    return thinned(refined(even, (ratio) => evaluator.at(ratio, sign), (high - low) / 2000));
  };
  const [positive, negative] = [curve(1), curve(-1)];
  const stops = [...intervals(positive), ...intervals(negative)];
  return {
    gate,
    range: [low, high],
    positive,
    negative,
    notes: [
      evaluator.rows === 1
        ? "one response of one token"
        : "two responses of one token each in a group; the other one has the opposite advantage and stays at ratio 1",
      ...(dependsOnProbability(evaluator, [low, high]) ? ["probability 0.05 under the policy that sampled"] : []),
      ...notesOf(gate.reads),
      ...(stops.filter((agrees) => !agrees).length > stops.length / 10
        ? ["the gate stops gradients: the derivative is not the slope of the surrogate"]
        : []),
    ],
  };
}

const WIDE: readonly [number, number] = [0.01, 2.5];

/** Around 1, so wide that the nearest bound is seen: sequence-level gates act within thousandths. */
function usefulRange(evaluator: GateEvaluator): readonly [number, number] {
  const changes = (distance: number) =>
    ([1, -1] as const).some((sign) => {
      const at1 = evaluator.at(1, sign).slope;
      return [1 - distance, 1 + distance].some((ratio) => Math.abs(evaluator.at(ratio, sign).slope - at1) > Math.abs(at1) / 2);
    });
  const nearest = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02].find(changes);
  return nearest === undefined ? WIDE : [1 - 3 * nearest, 1 + 3 * nearest];
}

/** Does the derivative at a ratio change when the token was more likely from the start? */
const dependsOnProbability = (evaluator: GateEvaluator, [low, high]: readonly [number, number]): boolean =>
  ([1, -1] as const).some((sign) =>
    [0.1, 0.3, 0.5, 0.7, 0.9].some((part) => {
      const ratio = low + (high - low) * part;
      const [rare, likely] = [evaluator.at(ratio, sign).slope, evaluator.at(ratio, sign, Math.log(0.3)).slope];
      return Math.abs(rare - likely) > 1e-6 * Math.max(1, Math.abs(rare));
    }),
  );

/** For each stretch of a curve: does the surrogate rise by what the slope says? */
const intervals = (points: readonly CurvePoint[]): boolean[] =>
  points.slice(1).map((b, i) => {
    const a = points[i]!;
    const width = b.ratio - a.ratio;
    const [least, most] = [Math.min(a.slope, b.slope), Math.max(a.slope, b.slope)];
    const rise = (b.surrogate - a.surrogate) / width;
    const slack = 0.02 * Math.max(1, Math.abs(least), Math.abs(most));
    return rise >= least - slack && rise <= most + slack;
  });

const rangeOf = (values: readonly number[]): number => Math.max(...values) - Math.min(...values) || 1;

/** Points added in the middle of the intervals over which a curve is least straight, so that kinks and jumps stand where they are. */
function refined(points: CurvePoint[], at: (ratio: number) => CurvePoint, narrowest: number): CurvePoint[] {
  const list = [...points];
  const [spanSurrogate, spanSlope] = [rangeOf(list.map((p) => p.surrogate)), rangeOf(list.map((p) => p.slope))];
  const change = (a: CurvePoint, b: CurvePoint) =>
    Math.abs(a.surrogate - b.surrogate) / spanSurrogate + Math.abs(a.slope - b.slope) / spanSlope;
  for (let i = 0; i < REFINEMENTS; i++) {
    let worst = -1;
    let most = 0.03;
    for (let k = 0; k + 1 < list.length; k++) {
      if (list[k + 1]!.ratio - list[k]!.ratio <= narrowest) continue;
      const size = change(list[k]!, list[k + 1]!);
      if (size > most) [worst, most] = [k, size];
    }
    if (worst < 0) break;
    list.splice(worst + 1, 0, at((list[worst]!.ratio + list[worst + 1]!.ratio) / 2));
  }
  return list;
}

/** Points that lie on the straight line between their neighbours are left out. */
function thinned(points: readonly CurvePoint[]): CurvePoint[] {
  const kept: CurvePoint[] = [];
  points.forEach((point, i) => {
    const [before, after] = [kept.at(-1), points[i + 1]];
    if (before === undefined || after === undefined || !isBetween(before, point, after)) kept.push(point);
  });
  return kept;
}

function isBetween(a: CurvePoint, b: CurvePoint, c: CurvePoint): boolean {
  const t = (b.ratio - a.ratio) / (c.ratio - a.ratio);
  const close = (x: number, y: number, z: number) => Math.abs(x + (z - x) * t - y) <= 1e-9 * Math.max(1, Math.abs(y));
  return close(a.surrogate, b.surrogate, c.surrogate) && close(a.slope, b.slope, c.slope);
}

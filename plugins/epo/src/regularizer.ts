import {
  aggregationOf,
  aggregationOptions,
  ConfigError,
  type Context,
  constant,
  type Expr,
  options,
  type Regularizer,
  regularizer,
  type Static,
  type StepExpressions,
  type StepValues,
  scatterElementsAdd,
  type Term,
  Type,
  type UpdateOutcome,
  where,
} from "@proximal/core";
import { type EntropyHistory, record, turnColumn, turnEntropies } from "./history.js";
import { phaseWeight } from "./phase.js";

export const epoOptions = Type.Object({
  entropyCoef: Type.Number({ default: 0.001, minimum: 0, description: "Weight of the whole term; 0 also switches the penalty off" }),
  smoothCoef: Type.Number({ default: 1, minimum: 0, description: "Weight of the smoothing penalty against the entropy" }),
  minRatio: Type.Number({ default: 0.8, minimum: 0, description: "Lower end of the band, times the history of the turn" }),
  maxRatio: Type.Number({ default: 1.2, exclusiveMinimum: 0, description: "Upper end of the band, times the history of the turn" }),
  outPenalty: Type.Number({ default: 0.1, minimum: 0, description: "Penalty outside the band; hinge: per nat of distance" }),
  level: Type.Enum(["token", "sequence"], { default: "token", description: "What is tested: each token, or the mean of its turn" }),
  startTurn: Type.Optional(
    Type.Integer({ minimum: 0, description: "The penalty acts once the update holds this turn; half of maxTurns when left out" }),
  ),
  usePhase: Type.Boolean({ default: false, description: "Multiply the penalty by the weight of the training phase" }),
  maxEpochs: Type.Integer({ default: 150, minimum: 1, description: "Planned training steps, for the phase weight" }),
  maxTurns: Type.Integer({ default: 50, minimum: 1, description: "Turns of the history" }),
  form: Type.Enum(["constant", "hinge"], {
    default: "constant",
    description: "constant: as coded, without a gradient; hinge: by the distance to the band, pulls the entropy back",
  }),
  ...aggregationOptions,
});

/**
 * -entropyCoef·(H - smoothCoef·P), [B, T]. P = w·outPenalty outside the open band (minRatio·h, maxRatio·h), 0 inside
 * (constant), or w·outPenalty·distance to it (hinge); h is the historical entropy of the token's turn, w the phase weight.
 * EPO (2509.22576), official code; hinge is a differentiable reading.
 */
@regularizer({
  id: "epo",
  description: "Entropy bonus with a penalty where the entropy of a turn leaves the band of its history",
  options: epoOptions,
  reads: ["entropy", "oldEntropy", { name: "turn", optional: true }, { name: "turnIndex", optional: true }],
})
export class EpoRegularizer implements Regularizer<EntropyHistory> {
  constructor(@options() private readonly o: Static<typeof epoOptions>) {
    if (o.minRatio >= o.maxRatio) {
      throw new ConfigError("the band is empty: minRatio is not below maxRatio", {
        path: "minRatio",
        given: o.minRatio,
        accepted: `below ${o.maxRatio}`,
      });
    }
  }

  initialState(): EntropyHistory {
    return { version: 1, phases: 0, history: new Array<number>(this.o.maxTurns).fill(0) };
  }

  stepValues({ phases, history }: EntropyHistory, { step }: { step: number }): StepValues {
    const weight = phases === 0 ? 0 : this.o.usePhase ? phaseWeight(step, this.o.maxEpochs) : 1;
    // One more entry stands for all later turns.
    return { weight, history: { shape: [history.length + 1], data: [...history, 0] } };
  }

  terms(context: Context, { weight, history }: StepExpressions): Term {
    const { entropyCoef, smoothCoef } = this.o;
    const { entropy } = context;
    const penalty = this.penalty(context, history!).mul(weight!);
    const aggregation = aggregationOf(this.o);
    return {
      value: entropy.sub(penalty.mul(smoothCoef)).mul(-entropyCoef),
      aggregation,
      observe: {
        meanEntropy: { value: entropy, aggregation },
        meanPenalty: { value: penalty, aggregation },
        outsideFraction: { value: penalty.greater(0).cast("float"), aggregation: "token-mean" },
      },
      perToken: { tokenPenalties: penalty },
    };
  }

  /** Penalty before the phase weight: [B, T], or [B, 1] where it is the row's. */
  private penalty(context: Context, history: Expr): Expr {
    const { level, minRatio, maxRatio, outPenalty, form, maxTurns, startTurn = Math.floor(maxTurns / 2) } = this.o;
    const column = turnColumn(context);
    // The last entry stands for all later turns.
    const turns = Number(history.shape[0]);
    const turn = column === null ? constant(0, [1, 1], "int") : context.column(column).min(turns - 1);
    const latest = column === null ? constant(0, [1, 1]) : context.columnMax(column);
    const { entropy } = context;
    const x =
      level === "token" ? entropy : column === "turnIndex" ? turnMean(context, entropy, turn, turns) : context.sequenceMean(entropy);
    const h = history.gather(turn);
    const [low, high] = [h.mul(minRatio), h.mul(maxRatio)];
    const outside =
      form === "hinge"
        ? where(x.less(low), low.sub(x), where(x.greater(high), x.sub(high), 0))
        : x.greater(low).and(x.less(high)).not().cast("float");
    return where(latest.greaterEqual(startTurn), outside, 0).mul(outPenalty);
  }

  afterUpdate({ batch, state }: UpdateOutcome<EntropyHistory>): EntropyHistory {
    return batch.tokens === 0 ? state : record(state, turnEntropies(batch));
  }
}

/** At each token the mean of x over the tokens of its turn, [B, T]; `turn` [B, T] in 0..turns - 1. */
function turnMean({ mask }: Context, x: Expr, turn: Expr, turns: number): Expr {
  const sum = (of: Expr): Expr => scatterElementsAdd(turn, of, 1, turns);
  return sum(x)
    .div(sum(mask.cast("float")).max(1))
    .gatherElements(turn, 1);
}

import {
  type Batch,
  type Context,
  type Expr,
  lossMask,
  options,
  type Regularizer,
  regularizer,
  type Static,
  type StepExpressions,
  type StepValues,
  statistics,
  type Term,
  Type,
  type UpdateOutcome,
} from "@proximal/core";
import { advance, type ControllerState, controllerOptions, initialController, type Verdict } from "./controller.js";

const { mean } = statistics;

export const safeRegularizerOptions = Type.Object({
  ...controllerOptions,
  penaltyForm: Type.Enum(["constant", "gradient"], {
    default: "constant",
    description: "constant: as coded, without a gradient; gradient: the KL times the slope of the penalty",
  }),
});

export interface PenaltyState extends ControllerState {
  /** What the last call decided; it holds for the coming update. */
  verdict: Omit<Verdict, "phase">;
}

/**
 * The penalty of the entropy-aware KL controller. constant: the penalty itself, a number. gradient: slope·KL, token mean of
 * logp - refLogp, with the slope d penalty / d KL as a constant. The controller is called after each step's updates with their mean KL.
 * SAFE, official code; the gradient form is a reading.
 */
@regularizer({
  id: "safe",
  description: "KL penalty above a threshold that follows the reward's velocity, the phase of the training and the entropy",
  options: safeRegularizerOptions,
  reads: ["logp", "refLogp", "oldEntropy", "rewards"],
  conventions: { kl: "in the loss, signed, against the reference policy" },
})
export class SafeRegularizer implements Regularizer<PenaltyState> {
  constructor(@options() private readonly o: Static<typeof safeRegularizerOptions>) {}

  initialState(): PenaltyState {
    return { ...initialController(), verdict: { threshold: this.o.baseThreshold, entropyFactor: 1, penalty: 0, slope: 0 } };
  }

  stepValues({ verdict, klShort }: PenaltyState): StepValues {
    return { ...verdict, klShort };
  }

  terms({ logp, refLogp }: Context, { penalty, slope, threshold, entropyFactor, klShort }: StepExpressions): Term {
    const kl = logp.sub(refLogp);
    // A number of the whole batch is its own token mean, however the batch is split.
    const ofBatch = (value: Expr | undefined) => ({ value: value!, aggregation: "token-mean" as const });
    return {
      value: this.o.penaltyForm === "constant" ? penalty! : kl.mul(slope!),
      aggregation: "token-mean",
      observe: {
        kl: ofBatch(kl),
        penalty: ofBatch(penalty),
        threshold: ofBatch(threshold),
        entropyFactor: ofBatch(entropyFactor),
        klShort: ofBatch(klShort),
      },
    };
  }

  afterUpdate({ observed: { kl }, batch, state }: UpdateOutcome<PenaltyState>): PenaltyState {
    if (kl === undefined || batch.rows === 0) return state;
    const reading = { kl: kl[0]!, entropy: meanEntropy(batch), reward: mean(batch.f64("rewards")) };
    const { state: next, verdict } = advance(state, reading, this.o);
    const { phase: _, ...numbers } = verdict;
    return { ...next, verdict: numbers };
  }
}

/** Nats a token, under the policy that sampled. */
function meanEntropy(batch: Batch): number {
  const mask = lossMask(batch);
  const own = batch.f64("oldEntropy").filter((_, t) => mask[t] === 1);
  return own.length === 0 ? 0 : mean(own);
}

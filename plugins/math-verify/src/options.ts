import { type Static, Type } from "@proximal/core";

export const mathVerifyOptions = Type.Object({
  mode: Type.Union([Type.Literal("boxed"), Type.Literal("flexible")], {
    default: "boxed",
    description: "boxed: only the last \\boxed{…} counts. flexible: then an anchored answer, then the last number of the text.",
  }),
  requireThinkEnd: Type.Boolean({
    default: false,
    description: "Look only after the last </think>; a completion without it is wrong.",
  }),
  decimals: Type.Integer({
    default: 6,
    minimum: 1,
    maximum: 12,
    description: "Decimals to which numbers are rounded when either has a decimal point or a percent sign.",
  }),
  correct: Type.Number({ default: 1, description: "Score of a right answer." }),
  wrong: Type.Number({ default: 0, description: "Score of a wrong or missing answer." }),
  unparseableGold: Type.Union([Type.Literal("skip"), Type.Number()], {
    default: "skip",
    description: "Result when no accepted answer is left after normalisation: skip (null, the row takes no part) or a score.",
  }),
});

export type MathVerifyOptions = Static<typeof mathVerifyOptions>;

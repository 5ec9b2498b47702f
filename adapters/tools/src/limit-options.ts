import { Type } from "@proximal/core";
import { DEFAULT_LIMITS } from "@proximal/sandbox";

/** What code may use, as options of a component. */
export const limitOptions = {
  interrupts: Type.Integer({
    default: DEFAULT_LIMITS.interrupts,
    minimum: 1,
    description: "Work of a block, in turns of the interpreter's interrupt handler: the same program stops at the same place",
  }),
  seconds: Type.Number({ default: DEFAULT_LIMITS.seconds, exclusiveMinimum: 0, description: "Wall clock of a program" }),
  megabytes: Type.Integer({ default: DEFAULT_LIMITS.megabytes, minimum: 1, description: "Memory of a program" }),
  outputLength: Type.Integer({ default: DEFAULT_LIMITS.outputLength, minimum: 1, description: "Characters of output a block" }),
};

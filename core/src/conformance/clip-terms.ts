import { ClipGate } from "../builtin/clip-gate.js";
import { KlRegularizer } from "../builtin/kl.js";
import type { ComponentClass } from "../extension/component.js";
import type { LossComponent } from "../extension/points.js";
import type { Options } from "./case.js";
import type { TermCase } from "./terms.js";

/**
 * A gate and, unless `klCoef` is 0, the k3 term that shares its aggregation: what the cases of GRPO's relatives mean by their
 * options. `defaults` are the sheet's.
 */
export function clipTerms(options: Options, defaults: Options, component: ComponentClass<LossComponent> = ClipGate): TermCase[] {
  const { klCoef = 0, ...gate } = { ...defaults, ...options };
  const { aggregation, fixedLength } = gate;
  const shared = { aggregation, ...(fixedLength === undefined ? {} : { fixedLength }) };
  const terms: TermCase[] = [{ component, options: gate }];
  return Number(klCoef) === 0 ? terms : [...terms, { component: KlRegularizer, options: shared, coefficient: Number(klCoef) }];
}

import { Type } from "@proximal/core";

export const modeOptions = {
  modes: Type.Array(Type.String({ minLength: 1 }), {
    default: ["instant", "reasoning", "agentic"],
    minItems: 2,
    description: "Modes of answering, the cheap one first",
  }),
  tags: Type.Record(Type.String(), Type.String(), {
    default: {},
    description: "Opening tag of each mode; <mode> where none is given",
  }),
};

export const tagOf = (mode: string, tags: Readonly<Record<string, string>>): string => tags[mode] ?? `<${mode}>`;

/** Mode that a completion declares with its opening tag; "" when it declares none. */
export function modeOf(completion: string, modes: readonly string[], tags: Readonly<Record<string, string>>): string {
  const text = completion.trimStart();
  return modes.find((mode) => text.startsWith(tagOf(mode, tags))) ?? "";
}

export const ADAPTIVE = "adaptive";

/** Modes of a prompt's rollouts: each mode ρ times, then γ times `adaptive`. */
export const rolloutPlan = (modes: readonly string[], forcedPerMode: number, adaptive: number): string[] => [
  ...modes.flatMap((mode) => new Array<string>(forcedPerMode).fill(mode)),
  ...new Array<string>(adaptive).fill(ADAPTIVE),
];

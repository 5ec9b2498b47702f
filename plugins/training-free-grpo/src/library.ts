/** A short text that the policy is shown; ids are G0, G1, … in order. */
export interface Experience {
  id: string;
  content: string;
}

/** One entry of an editor's plan; a missing operation counts as ADD. */
export interface Operation {
  operation?: string | null;
  id?: string | null;
  content?: string | null;
}

/**
 * The library after a plan, renumbered: ADD appends, UPDATE replaces in place (unknown id: appends), DELETE removes; without
 * content ADD and UPDATE do nothing, as does anything else. Items that the plan adds have no id before its end.
 * Training-Free GRPO (2510.08191).
 */
export function editLibrary(experiences: readonly Experience[], operations: readonly Operation[]): Experience[] {
  const items: { id: string | null; content: string }[] = experiences.map((item) => ({ ...item }));
  for (const given of operations) {
    // A field that is null counts as missing.
    const [operation, id, content] = [given.operation ?? "ADD", given.id ?? undefined, given.content ?? ""];
    const at = id === undefined ? -1 : items.findIndex((item) => item.id === id);
    if (operation === "DELETE") {
      if (at >= 0) items.splice(at, 1);
    } else if (content !== "" && operation === "UPDATE" && at >= 0) items[at]!.content = content;
    else if (content !== "" && (operation === "ADD" || operation === "UPDATE")) items.push({ id: null, content });
  }
  return items.map(({ content }, i) => ({ id: `G${i}`, content }));
}

/** Whether the rewards of a group (0–1) tell better from worse: 0 < mean < 1. Without ground truth every group does. */
export function hasContrast(rewards: ArrayLike<number>, givenGroundTruth: boolean): boolean {
  if (!givenGroundTruth) return true;
  const mean = Array.from(rewards).reduce((a, b) => a + b, 0) / rewards.length;
  return mean > 0 && mean < 1;
}

/** The operations of a model's answer: its last JSON list of objects; [] when it holds none. */
export function parseOperations(text: string): Operation[] {
  for (let start = text.lastIndexOf("["); start >= 0; start = text.lastIndexOf("[", start - 1)) {
    for (let end = text.lastIndexOf("]"); end > start; end = text.lastIndexOf("]", end - 1)) {
      const list = parsed(text.slice(start, end + 1));
      if (isPlan(list)) return list.map(asOperation);
    }
    if (start === 0) break;
  }
  return [];
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

const isPlan = (value: unknown): value is Record<string, unknown>[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "object" && item !== null && !Array.isArray(item));

function asOperation(item: Record<string, unknown>): Operation {
  const field = (name: string) => (typeof item[name] === "string" ? { [name]: item[name] as string } : {});
  return { ...field("operation"), ...field("id"), ...field("content") };
}

/** The lines that show a library: `[G0]. text`. */
export const linesOf = (experiences: readonly Experience[]): string =>
  experiences.map(({ id, content }) => `[${id}]. ${content}`).join("\n");

/** What stands inside a marked block of a model's answer; null without one. */
export const blockOf = (text: string, tag: string): string | null =>
  new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(text)?.[1]?.trim() ?? null;

import { tokenF1, wordsOf } from "@proximal/core";

export interface GuiAction {
  type: string;
  /** [x, y] of a predicted click. */
  point?: readonly number[];
  /** [x0, y0, x1, y1] of a reference click, in the convention of the points. */
  box?: readonly number[];
  direction?: string;
  text?: string;
}

/** The action that a JSON text holds; null when it holds none. */
export function parseAction(json: string): GuiAction | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof (value as GuiAction | null)?.type === "string" ? (value as GuiAction) : null;
  } catch {
    return null;
  }
}

const inside = (point: readonly number[] | undefined, box: readonly number[] | undefined): boolean => {
  if (point === undefined || box === undefined) return false;
  const [x, y] = point as [number, number];
  const [x0, y0, x1, y1] = box as [number, number, number, number];
  return x >= x0 && x <= x1 && y >= y0 && y <= y1;
};

const words = (text: string | undefined): string[] => wordsOf((text ?? "").toLowerCase());

/** S in [0, 1]: how well the arguments of an action of the right type fit; 1 for actions without arguments. */
export function argumentScore(predicted: GuiAction, reference: GuiAction): number {
  switch (reference.type) {
    case "click":
    case "longPress":
      return inside(predicted.point, reference.box) ? 1 : 0;
    case "scroll":
      return predicted.direction === reference.direction ? 1 : 0;
    case "type":
    case "openApp":
    case "answer":
      return tokenF1(words(predicted.text), words(reference.text));
    default:
      return 1;
  }
}

export interface GuiWeights {
  formatWeight: number;
  typeWeight: number;
  argumentWeight: number;
  judgeWeight: number;
}

/** R = w_f·F + [F = 1 and type equal]·(w_t + w_a·S). CRAFT-GUI (2508.11360), reconstructed. */
export function operationReward(format: number, predicted: GuiAction | null | undefined, reference: GuiAction, o: GuiWeights): number {
  const matches = format === 1 && predicted?.type === reference.type;
  return o.formatWeight * format + (matches ? o.typeWeight + o.argumentWeight * argumentScore(predicted!, reference) : 0);
}

/** [F = 1]·w_j·J: what a judge adds to w_f·F for an answer about the screen. */
export const judgedReward = (format: number, grade: number, o: Pick<GuiWeights, "judgeWeight">): number =>
  format === 1 ? o.judgeWeight * Math.min(1, Math.max(0, grade)) : 0;

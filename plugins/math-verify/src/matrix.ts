import { cut, join, topLevel } from "./tokens.js";

type Tokens = readonly string[];

export interface Matrix {
  /** Determinants and norms are no matrices, and equal only their like. */
  readonly kind: "matrix" | "vmatrix" | "Vmatrix";
  readonly rows: readonly (readonly Tokens[])[];
}

const KINDS: ReadonlyMap<string, Matrix["kind"]> = new Map([
  ...["matrix", "pmatrix", "bmatrix", "Bmatrix", "smallmatrix", "array"].map((name) => [name, "matrix"] as const),
  ["vmatrix", "vmatrix"],
  ["Vmatrix", "Vmatrix"],
]);

/** `\begin{pmatrix} a & b \\ c & d \end{pmatrix}` and its like, as the whole answer; null otherwise. */
export function parseMatrix(tokens: Tokens): Matrix | null {
  if (tokens[0] !== "\\begin" || tokens[1] !== "{") return null;
  const name = join(tokens.slice(2, tokens.indexOf("}")));
  const kind = KINDS.get(name);
  const end = tokens.lastIndexOf("\\end");
  if (kind === undefined || join(tokens.slice(end)) !== `\\end{${name}}`) return null;
  const start = name.length + 3;
  const body = tokens.slice(name === "array" && tokens[start] === "{" ? tokens.indexOf("}", start) + 1 : start, end);
  const rows = cut(
    body,
    topLevel(body, (token) => token === "\\\\"),
  );
  if (rows.length > 1 && rows.at(-1)!.length === 0) rows.pop();
  const cells = rows.map((row) =>
    cut(
      row,
      topLevel(row, (token) => token === "&"),
    ),
  );
  return { kind, rows: cells };
}

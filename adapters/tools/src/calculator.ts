import jsep from "jsep";

/** Longest expression, characters. */
const LONGEST = 200;

const UNARY: Readonly<Record<string, (x: number) => number>> = { "-": (x) => -x, "+": (x) => x };
const BINARY: Readonly<Record<string, (x: number, y: number) => number>> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => x * y,
  "/": (x, y) => x / y,
  "%": (x, y) => x % y,
  "**": (x, y) => x ** y,
};
const FUNCTIONS: Readonly<Record<string, (...x: number[]) => number>> = {
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  floor: Math.floor,
  ceil: Math.ceil,
  round: Math.round,
  min: Math.min,
  max: Math.max,
};
const CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

function lookUp<T>(table: Readonly<Record<string, T>>, name: unknown): T {
  if (typeof name === "string" && Object.hasOwn(table, name)) return table[name]!;
  throw new Error(`${String(name)} is not known`);
}

function evaluated(node: jsep.Expression): number {
  switch (node.type) {
    case "Literal":
      if (typeof node.value === "number") return node.value;
      throw new Error(`${String(node.raw)} is no number`);
    case "Identifier":
      return lookUp(CONSTANTS, node.name);
    case "UnaryExpression":
      return lookUp(UNARY, node.operator)(evaluated(node.argument as jsep.Expression));
    case "BinaryExpression":
      return lookUp(BINARY, node.operator)(evaluated(node.left as jsep.Expression), evaluated(node.right as jsep.Expression));
    case "CallExpression":
      return lookUp(FUNCTIONS, (node.callee as jsep.Expression).name)(...(node.arguments as jsep.Expression[]).map(evaluated));
    default:
      throw new Error("this is no arithmetic");
  }
}

/**
 * Value of an arithmetic expression: numbers, + - * / % ^, parentheses, pi and e, abs sqrt exp log floor ceil round min max.
 * Nothing else is known to it. Errors: anything else, and a result that is no finite number.
 */
export function calculate(expression: string): number {
  if (expression.length > LONGEST) throw new Error("the expression is too long");
  const value = evaluated(jsep(expression.replaceAll("^", "**").replace(/(?<=\d),(?=\d{3})/g, "")));
  if (!Number.isFinite(value)) throw new Error("the result is no finite number");
  return value;
}

/** 0.1 + 0.2 is shown as 0.3: twelve significant digits, whole numbers in full. */
export const shown = (value: number): string => (Number.isSafeInteger(value) ? String(value) : String(Number(value.toPrecision(12))));

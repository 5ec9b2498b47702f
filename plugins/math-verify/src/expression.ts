import { isControlWord, isDigit, isLetter } from "./tokens.js";

/** Values of the variables of an expression. */
export type Point = ReadonlyMap<string, number>;

export interface Expression {
  /** Letters of the expression, sorted; Greek letters as control words. Constants (pi, e) are none. */
  readonly variables: readonly string[];
  /** Its value, NaN or infinite where it has none. */
  evaluate(point: Point): number;
}

type Evaluate = (point: Point) => number;

/** Brackets, fractions, roots and exponents inside each other; more is no answer that a person would write. */
const MAX_DEPTH = 100;

const GREEK = new Set(
  (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau upsilon phi varphi " +
    "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
  )
    .split(" ")
    .map((name) => `\\${name}`),
);
const PARTNER: ReadonlyMap<string, string> = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
  ["\\{", "\\}"],
]);

/** A letter stands for a variable of its own. */
export const isVariable = (token: string | undefined): boolean => token !== undefined && (isLetter(token) || GREEK.has(token));

class NotAnExpression extends Error {}

/** Rule 7's expressions: + - * / ^, implicit multiplication, \frac, \sqrt with index, pi, e, percent. null when it is no such expression. */
export function parseExpression(tokens: readonly string[]): Expression | null {
  const parser = new Parser(tokens);
  try {
    const evaluate = parser.whole();
    return { variables: [...parser.variables].sort(), evaluate };
  } catch (error) {
    if (error instanceof NotAnExpression) return null;
    throw error;
  }
}

/**
 * Recursive descent over the tokens of a normalised answer. Implicit products bind like written ones and associate to the
 * left (1/2x is (1/2)x), a sign binds weaker than a power (-x^2 is -(x^2)), powers associate to the right.
 */
class Parser {
  readonly variables = new Set<string>();
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly string[]) {}

  whole(): Evaluate {
    const value = this.sum();
    if (this.at < this.tokens.length) throw new NotAnExpression();
    return value;
  }

  private get next(): string | undefined {
    return this.tokens[this.at];
  }

  private accept(token: string): boolean {
    if (this.next !== token) return false;
    this.at++;
    return true;
  }

  private expect(token: string): void {
    if (!this.accept(token)) throw new NotAnExpression();
  }

  private acceptWord(word: string): boolean {
    for (let i = 0; i < word.length; i++) if (this.tokens[this.at + i] !== word[i]) return false;
    this.at += word.length;
    return true;
  }

  private nested(parse: () => Evaluate): Evaluate {
    if (++this.depth > MAX_DEPTH) throw new NotAnExpression();
    const value = parse();
    this.depth--;
    return value;
  }

  private sum(): Evaluate {
    const terms = [this.product()];
    while (this.next === "+" || this.next === "-") {
      const negative = this.tokens[this.at++] === "-";
      const term = this.product();
      terms.push(negative ? (p) => -term(p) : term);
    }
    if (terms.length === 1) return terms[0]!;
    return (p) => terms.reduce((total, term) => total + term(p), 0);
  }

  private product(): Evaluate {
    const first = this.signed(() => this.power());
    const factors: { value: Evaluate; divides: boolean }[] = [];
    for (;;) {
      const divides = this.accept("/");
      if (divides || this.accept("*")) factors.push({ value: this.signed(() => this.power()), divides });
      else if (this.startsFactor()) factors.push({ value: this.power(), divides });
      else break;
    }
    if (factors.length === 0) return first;
    return (p) => factors.reduce((value, factor) => (factor.divides ? value / factor.value(p) : value * factor.value(p)), first(p));
  }

  private startsFactor(): boolean {
    const token = this.next;
    return token !== undefined && (isDigit(token) || token === "." || isLetter(token) || isControlWord(token) || PARTNER.has(token));
  }

  private signed(parse: () => Evaluate): Evaluate {
    let negative = false;
    while (this.next === "+" || this.next === "-") negative = this.tokens[this.at++] === "-" ? !negative : negative;
    const value = parse();
    return negative ? (p) => -value(p) : value;
  }

  private power(): Evaluate {
    const base = this.percent();
    if (!this.accept("^")) return base;
    const exponent = this.nested(() => this.signed(() => this.power()));
    return (p) => base(p) ** exponent(p);
  }

  private percent(): Evaluate {
    const value = this.primary();
    let scale = 1;
    while (this.accept("%")) scale *= 100;
    return scale === 1 ? value : (p) => value(p) / scale;
  }

  private primary(): Evaluate {
    const token = this.next;
    if (isDigit(token) || token === ".") return this.number();
    if (this.accept("\\frac")) {
      const numerator = this.argument();
      const denominator = this.argument();
      return (p) => numerator(p) / denominator(p);
    }
    if (this.accept("\\sqrt")) {
      const index = this.accept("[") ? this.bracketed("]") : () => 2;
      return root(this.argument(), index);
    }
    if (this.accept("\\pi") || this.acceptWord("pi")) return () => Math.PI;
    if (this.acceptWord("sqrt(")) return root(this.bracketed(")"), () => 2);
    if (this.accept("e")) return () => Math.E;
    if (token === undefined) throw new NotAnExpression();
    this.at++;
    if (isVariable(token)) {
      this.variables.add(token);
      return (p) => p.get(token) ?? Number.NaN;
    }
    const closing = PARTNER.get(token);
    if (closing === undefined) throw new NotAnExpression();
    return this.bracketed(closing);
  }

  /** The rest of a bracket whose opening token is read. */
  private bracketed(closing: string): Evaluate {
    const value = this.nested(() => this.sum());
    this.expect(closing);
    return value;
  }

  /** `{…}`, or another fraction or root without braces of its own. */
  private argument(): Evaluate {
    if (this.accept("{")) return this.bracketed("}");
    if (this.next === "\\frac" || this.next === "\\sqrt") return this.nested(() => this.primary());
    throw new NotAnExpression();
  }

  private number(): Evaluate {
    const start = this.at;
    while (isDigit(this.next)) this.at++;
    this.accept(".");
    while (isDigit(this.next)) this.at++;
    if (this.next === "." || (this.at === start + 1 && this.tokens[start] === ".")) throw new NotAnExpression();
    const value = Number(this.tokens.slice(start, this.at).join(""));
    return () => value;
  }
}

/** n-th root; real for negative radicands under odd indices. */
function root(radicand: Evaluate, index: Evaluate): Evaluate {
  return (p) => {
    const x = radicand(p);
    const n = index(p);
    if (n === 0) return Number.NaN;
    if (n === 2) return Math.sqrt(x);
    return x < 0 && Math.abs(n % 2) === 1 ? -((-x) ** (1 / n)) : x ** (1 / n);
  };
}

/** Logistic function without overflow. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** log(1 + eˣ) without overflow. */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const SERIES_LIMIT = 2;

/**
 * Error function in double precision. |x| < 2: erf x = 2/√π · e^(−x²) · Σ 2ⁿx²ⁿ⁺¹/(2n+1)!!, all terms of one sign
 * (Abramowitz & Stegun 7.1.6). Beyond: 1 − erfc x by the continued fraction 7.1.14, evaluated from its tail.
 */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z >= 6) return Math.sign(x);
  const scale = Math.exp(-z * z) / Math.sqrt(Math.PI);
  if (!(z >= SERIES_LIMIT)) {
    let term = x;
    let total = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
      term *= (2 * z * z) / (2 * n + 1);
      total += term;
    }
    return 2 * scale * total;
  }
  let tail = z;
  for (let n = 60; n >= 1; n--) tail = z + n / 2 / tail;
  return Math.sign(x) * (1 - scale / tail);
}

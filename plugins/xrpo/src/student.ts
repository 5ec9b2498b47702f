/**
 * P(|T| < t) of Student's t with integer ν ≥ 1 degrees of freedom: a finite sum in θ = atan(t / √ν).
 * Abramowitz and Stegun, 26.7.3 and 26.7.4.
 */
export function studentCoverage(t: number, dof: number): number {
  const theta = Math.atan(t / Math.sqrt(dof));
  const [sin, cos] = [Math.sin(theta), Math.cos(theta)];
  const odd = dof % 2 === 1;
  let [sum, term] = [0, odd ? cos : 1];
  for (let k = odd ? 1 : 0; k <= dof - 2; k += 2) {
    sum += term;
    term *= ((k + 1) / (k + 2)) * cos * cos;
  }
  return odd ? (2 / Math.PI) * (theta + sin * sum) : sin * sum;
}

/** t with P(|T| < t) = confidence, by bisection on the angle: every t has a finite one. */
export function studentQuantile(confidence: number, dof: number): number {
  let [low, high] = [0, Math.PI / 2];
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (studentCoverage(Math.tan(middle) * Math.sqrt(dof), dof) < confidence) low = middle;
    else high = middle;
  }
  return Math.tan((low + high) / 2) * Math.sqrt(dof);
}

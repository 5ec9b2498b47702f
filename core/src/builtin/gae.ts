export interface TokenRewards {
  /** [tokens] reward of each token. */
  rewards: ArrayLike<number>;
  /** [tokens] value of the state in which each token is chosen. */
  values: ArrayLike<number>;
  /** [tokens] 1 = chosen by the policy. */
  mask: ArrayLike<number>;
  /** [B + 1] first token of each row. */
  offsets: ArrayLike<number>;
}

/**
 * A_t = δ_t + γλ·A_{t+1} with δ_t = u_t + γ·V_{t+1} - V_t, row by row from right to left, [tokens]; both are 0 after the last
 * token. Tokens that the policy did not choose are stepped over: they get 0 and the token before them sees the one after them.
 * Schulman et al. 2016 (1506.02438), eq. 16.
 */
export function generalizedAdvantages({ rewards, values, mask, offsets }: TokenRewards, gamma: number, lambda: number): Float64Array {
  const advantages = new Float64Array(values.length);
  for (let row = 0; row + 1 < offsets.length; row++) {
    let [nextValue, nextAdvantage] = [0, 0];
    for (let t = offsets[row + 1]! - 1; t >= offsets[row]!; t--) {
      if (!mask[t]) continue;
      const delta = rewards[t]! + gamma * nextValue - values[t]!;
      nextAdvantage = delta + gamma * lambda * nextAdvantage;
      nextValue = values[t]!;
      advantages[t] = nextAdvantage;
    }
  }
  return advantages;
}

interface Node {
  total: number;
  count: number;
  next: Map<number, Node>;
}

const node = (): Node => ({ total: 0, count: 0, next: new Map() });

/**
 * Values along each response of one group: V(s) = mean reward of the responses that start with s, [n][T + 1].
 * `tokens` are the responses' ids; equality is on ids. Prefix-to-tree of Tran et al. 2025 (2509.18314).
 */
export function prefixValues(tokens: readonly ArrayLike<number>[], rewards: ArrayLike<number>): Float64Array[] {
  const root = node();
  const visit = (row: ArrayLike<number>, at: (state: Node, depth: number) => void) => {
    let state = root;
    at(state, 0);
    for (let t = 0; t < row.length; t++) {
      let child = state.next.get(row[t]!);
      if (child === undefined) {
        child = node();
        state.next.set(row[t]!, child);
      }
      state = child;
      at(state, t + 1);
    }
  };
  tokens.forEach((row, i) => {
    visit(row, (state) => {
      state.total += rewards[i]!;
      state.count += 1;
    });
  });
  return tokens.map((row) => {
    const values = new Float64Array(row.length + 1);
    visit(row, (state, depth) => {
      values[depth] = state.total / state.count;
    });
    return values;
  });
}

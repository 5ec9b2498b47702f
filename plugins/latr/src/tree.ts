import { type BranchingOptions, branchStep, type Candidate } from "./branching.js";
import { compareBranches, type PruningOptions } from "./similarity.js";

export interface Branch {
  tokens: number[];
  finished: boolean;
  /** Tokens that it shares with the branch it forked from. */
  fork: number;
  /** null = the root. */
  parent: Branch | null;
}

/** The branches of one prompt, which grow in step; the root is the first. */
export class Tree {
  branches: Branch[] = [{ tokens: [], finished: false, fork: 0, parent: null }];
  pruned = 0;

  constructor(
    private readonly capacity: number,
    private readonly isEnd: (token: number) => boolean,
    private readonly o: BranchingOptions & PruningOptions & { lookaheadSteps: readonly number[] },
  ) {}

  get running(): Branch[] {
    return this.branches.filter(({ finished }) => !finished);
  }

  /** Branches that count towards the end of tree mode: a prompt that has ended counts as full. */
  get weight(): number {
    return this.running.length === 0 ? this.capacity : this.branches.length;
  }

  get isFull(): boolean {
    return this.branches.length >= this.capacity;
  }

  /** Some branch has lookahead comparisons to come. */
  get isYoung(): boolean {
    const oldest = Math.max(0, ...this.o.lookaheadSteps);
    return this.running.some(({ parent, fork, tokens }) => parent !== null && tokens.length - fork < oldest);
  }

  /** Running branches with a single candidate, given the candidates of all running ones. */
  single(candidates: readonly (readonly Candidate[])[]): boolean[] {
    const alone = (list: readonly Candidate[]) =>
      branchStep([list], [false], [0], Number.POSITIVE_INFINITY, this.o).newBranches.length === 0;
    return candidates.map(alone);
  }

  /** Appends to every running branch its token (the likeliest, or the one that was drawn for it), forks, prunes. */
  grow(candidates: readonly (readonly Candidate[])[], drawn: readonly (number | undefined)[]): void {
    const { running } = this;
    const room = this.capacity - (this.branches.length - running.length);
    const step = branchStep(
      candidates,
      running.map(() => false),
      running.map(() => 0),
      room,
      this.o,
    );
    const forks = step.newBranches.map(({ parent, token }): Branch => {
      const from = running[parent]!;
      return { tokens: [...from.tokens, token], finished: this.isEnd(token), fork: from.tokens.length, parent: from };
    });
    running.forEach((branch, i) => {
      const token = drawn[i] ?? step.continueToken[i]!;
      branch.tokens.push(token);
      branch.finished = this.isEnd(token);
    });
    this.branches.push(...forks);
    this.prune();
  }

  /** Removes branches that have come to resemble their parent; their own children go to that parent. */
  private prune(): void {
    for (const branch of [...this.branches]) {
      const age = branch.tokens.length - branch.fork;
      if (branch.parent === null || !this.o.lookaheadSteps.includes(age) || branch.finished) continue;
      const { parent } = branch;
      if (!compareBranches(branch.tokens.slice(-age), parent.tokens.slice(-age), this.isEnd, this.o).prune) continue;
      this.pruned++;
      this.branches = this.branches.filter((other) => other !== branch);
      for (const other of this.branches) if (other.parent === branch) other.parent = parent;
    }
  }
}

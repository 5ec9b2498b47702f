import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** 32-bit hash of a seed and a path of keys (murmur3's mixing): streams that differ in any key are unrelated. */
function mix(seed: number, keys: readonly (string | number)[]): number {
  let h = seed | 0;
  const word = (k: number) => {
    k = Math.imul(k, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  };
  for (const key of keys) {
    const text = typeof key === "number" ? `#${key}` : `$${key}`;
    for (let i = 0; i < text.length; i++) word(text.charCodeAt(i));
    word(text.length);
  }
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/**
 * Seeded random numbers. A stream is named by its keys (`random.fork("sampler", step)`), never by how many numbers were
 * drawn before: a resumed run asks for the same stream and gets the same numbers.
 */
export class Random {
  private readonly generator;

  constructor(
    readonly seed: number,
    private readonly path: readonly (string | number)[] = [],
  ) {
    this.generator = xoroshiro128plus(mix(seed, path));
  }

  /** An independent stream. */
  fork(...keys: (string | number)[]): Random {
    return new Random(this.seed, [...this.path, ...keys]);
  }

  /** The stream of the seed alone. */
  root(): Random {
    return new Random(this.seed);
  }

  /** A 32-bit number that identifies this stream: the key of counter-based noise. */
  key(): number {
    return mix(this.seed, [...this.path, "key"]) >>> 0;
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return uniformFloat64(this.generator);
  }

  /** Uniform integer in 0 … size-1. */
  integer(size: number): number {
    return uniformInt(this.generator, 0, size - 1);
  }

  /** Standard normal (Box–Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  /** 0 … size-1 in random order. */
  permutation(size: number): Int32Array {
    const order = Int32Array.from({ length: size }, (_, i) => i);
    for (let i = size - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  /** An index drawn with the given non-negative weights. */
  weighted(weights: ArrayLike<number>): number {
    let total = 0;
    for (let i = 0; i < weights.length; i++) total += weights[i]!;
    let left = this.uniform() * total;
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i]!;
      if (left < 0 && weights[i]! > 0) return i;
    }
    return weights.length - 1;
  }
}

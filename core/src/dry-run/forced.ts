import type { DecodeOptions, DecodeRequest, DecodeResult, PolicyBackend } from "../policy/index.js";
import type { Prompt } from "../rollout/index.js";

/**
 * A policy whose every second response is an accepted answer of its prompt: a random model would hardly ever be right, and a
 * reward that is 0 everywhere says nothing. Their log-probs are the policy's own.
 */
export class ForcedAnswers {
  private readonly golds = new Map<string, readonly string[]>();
  private turn = 0;

  /** Remembers the accepted answers of a prompt that will be asked. */
  know({ tokens, golds }: Prompt): void {
    this.golds.set(tokens.join(), golds);
  }

  around(policy: PolicyBackend): PolicyBackend {
    return new Proxy(policy, {
      get: (target, key) => {
        if (key === "decode")
          return (requests: readonly DecodeRequest[], options?: DecodeOptions) => this.decode(target, requests, options);
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }

  private async decode(policy: PolicyBackend, requests: readonly DecodeRequest[], options?: DecodeOptions): Promise<DecodeResult[]> {
    const answers = requests.map((request) => this.answer(policy, request));
    const rest = requests.filter((_, i) => answers[i] === undefined);
    const decoded = rest.length === 0 ? [] : await policy.decode(rest, options);
    const rows = requests.flatMap(({ prompt }, i) => (answers[i] === undefined ? [] : [{ prompt, response: answers[i] }]));
    const temperature = requests[0]?.temperature ?? 1;
    const logp = rows.length === 0 ? new Float64Array() : (await policy.score(rows, { outputs: ["logp"], temperature })).logp!;
    let [next, at] = [0, 0];
    return answers.map((tokens): DecodeResult => {
      if (tokens === undefined) return decoded[next++]!;
      at += tokens.length;
      return { tokens, logp: logp.slice(at - tokens.length, at), finish: "stop" };
    });
  }

  private answer({ tokenizer }: PolicyBackend, { prompt, prefix, maxTokens }: DecodeRequest): Int32Array | undefined {
    const gold = this.golds.get(prompt.join())?.[0];
    if (gold === undefined || prefix !== undefined || this.turn++ % 2 === 1) return undefined;
    const tokens = Int32Array.from([...tokenizer.encode(gold, { special: false }), ...tokenizer.stopTokens.slice(0, 1)]);
    return tokens.length === 0 || tokens.length > maxTokens ? undefined : tokens;
  }
}

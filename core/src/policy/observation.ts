import { DataError } from "../errors.js";
import type { Message } from "../rollout/index.js";
import type { Tokenizer } from "./tokenizer.js";

/** Stands for the assistant's words in a rendered conversation. */
const SAID = "<said>";

/**
 * Tokens that an environment puts behind the policy's turn. Text is encoded as it is, without the stop tokens that it may
 * spell: a document must not end a response. A message becomes what the chat template writes between the assistant's last
 * words and its next ones; an end-of-turn token that the policy has sampled itself is not repeated.
 * Errors: `DataError` for a message to a model without a chat template.
 */
export function observationTokens(tokenizer: Tokenizer, observation: string | Message, lastToken: number | undefined): Int32Array {
  if (typeof observation === "string") {
    return tokenizer.encode(observation, { special: false }).filter((id) => !tokenizer.stopTokens.includes(id));
  }
  if (tokenizer.chat === undefined) {
    throw new DataError("the environment answers with messages, and the model has no chat template", {
      hint: "use a chat model, or an environment whose observations are text",
    });
  }
  const rendered = tokenizer.chat([{ role: "user", content: "?" }, { role: "assistant", content: SAID }, observation]);
  const tokens = tokenizer.encode(rendered.slice(rendered.indexOf(SAID) + SAID.length), { special: false });
  return tokens[0] === lastToken && tokenizer.stopTokens.includes(tokens[0]!) ? tokens.slice(1) : tokens;
}

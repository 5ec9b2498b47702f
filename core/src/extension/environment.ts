import type { Message, Prompt, Random } from "../rollout/index.js";
import type { Services } from "./services.js";

/** What every call of an environment gets. */
export interface EpisodeContext {
  /** Depends on seed, step, prompt and turn alone: the responses of a group meet the same world. */
  random: Random;
  services: Services;
}

/** What the policy wrote since the last observation. */
export interface Turn<E = unknown> {
  prompt: Prompt;
  /** What the call before returned. */
  state: E;
  /** From 0. */
  turn: number;
  /** The policy's own text and tokens of this turn, up to and with what ended it. */
  text: string;
  tokens: Int32Array;
  /** One of the environment's `endOfTurn`, a stop token, or the end of the run's token budget. */
  end: "text" | "stop" | "length";
}

export interface TurnOutcome<E = unknown> {
  state: E;
  /** Put behind the turn and never trained on: text as it is, or a message in the words of the model's chat template. */
  observation?: string | Message;
  /** The episode is over; an observation that comes with it is left out. */
  done: boolean;
}

/**
 * Tools or a world that answers the policy's turns. It only maps states to states: equal turns and equal random numbers give
 * equal outcomes, so that a run can be repeated and a given beginning replayed. `E` is the state of one episode, a plain
 * serialisable value that calls return anew.
 */
export interface Environment<E = unknown> {
  /** Texts that end a turn where they first appear, as does a stop token. */
  readonly endOfTurn: readonly string[];
  reset(prompt: Prompt, context: EpisodeContext): E | Promise<E>;
  step(turn: Turn<E>, context: EpisodeContext): TurnOutcome<E> | Promise<TurnOutcome<E>>;
  /** Row columns of a finished episode, all that the component's `writes` names. */
  columns?(state: E): Readonly<Record<string, unknown>>;
  /** After the run. */
  close?(): Promise<void> | void;
}

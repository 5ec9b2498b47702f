import { fromJson, type State, toJson } from "@proximal/core";
import { check } from "@proximal/core/testing";

/** Continues from a state and from its serialised copy in a new instance: both must come to the same. */
export async function sameState<C>(
  state: State,
  go: (state: State, instance: C) => Promise<State>,
  fresh: () => C,
  used: C,
): Promise<void> {
  const text = toJson(state);
  const copy = fromJson(text) as State;
  check(toJson(copy) === text, `its state does not survive serialisation: ${text.slice(0, 200)}`);
  check(typeof state.version === "number", "its state has no version");
  const [continued, resumed] = [toJson(await go(state, used)), toJson(await go(copy, fresh()))];
  check(continued === resumed, `after a resume its state is ${resumed.slice(0, 200)}, without one ${continued.slice(0, 200)}`);
}

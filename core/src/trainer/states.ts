import { CheckpointError } from "../errors.js";
import type { State } from "../extension/index.js";
import type { Placed } from "./composition.js";

const keyOf = ({ id, metadata }: Placed): string => metadata.sharedState ?? `${metadata.point}:${id}`;
const STATELESS: State = Object.freeze({ version: 0 });

/** The states of all components of a run. Components get and return them; nobody else holds one. */
export class States {
  private readonly values = new Map<string, State>();

  constructor(private readonly components: readonly Placed[]) {
    for (const placed of components) {
      const state = placed.component.initialState?.();
      if (state !== undefined) this.values.set(keyOf(placed), state);
    }
  }

  get(placed: Placed): State {
    return this.values.get(keyOf(placed)) ?? STATELESS;
  }

  /** A component that returned no state keeps the one it had. */
  set(placed: Placed, state: State | undefined): void {
    if (state !== undefined && this.values.has(keyOf(placed))) this.values.set(keyOf(placed), state);
  }

  /** Independent copies: what is done to them leaves the run's states alone. */
  copy(): States {
    const copy = new States([]);
    for (const [key, state] of this.values) copy.values.set(key, structuredClone(state));
    return copy;
  }

  /** By `point:id`, for a checkpoint. */
  save(): Record<string, State> {
    return Object.fromEntries(this.values);
  }

  /** Takes over saved states, migrated to the components' present versions. */
  restore(saved: Readonly<Record<string, State>>): void {
    for (const placed of this.components) {
      const present = this.values.get(keyOf(placed));
      if (present === undefined) continue;
      const state = saved[keyOf(placed)];
      if (state === undefined) throw new CheckpointError(`the checkpoint holds no state of ${keyOf(placed)}`);
      if (state.version !== present.version && placed.component.migrate === undefined) {
        throw new CheckpointError(
          `the state of ${keyOf(placed)} has version ${state.version}; the installed component knows ${present.version}`,
          {
            hint: "install the version of the plugin that wrote the checkpoint",
          },
        );
      }
      this.values.set(keyOf(placed), state.version === present.version ? state : placed.component.migrate!(state));
    }
  }
}

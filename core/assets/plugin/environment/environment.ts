import { type Environment, environment, options, type Static, type Turn, type TurnOutcome, Type } from "@proximal/core";

const environmentOptions = Type.Object({
  tries: Type.Integer({ default: 3, minimum: 1, description: "Answers that the policy may give" }),
  again: Type.String({ default: "=", description: "What it is shown after a wrong one" }),
});

interface Attempt {
  tries: number;
}

/** A wrong answer is met with `again`, until one is right or all tries are used up. */
@environment({
  id: "my-slug",
  description: "Further tries after a wrong answer",
  options: environmentOptions,
  writes: [{ name: "tries", at: "row", dtype: "i32" }],
  provides: ["multi-turn"],
})
export class MySlugEnvironment implements Environment<Attempt> {
  readonly endOfTurn: readonly string[] = [];

  constructor(@options() private readonly o: Static<typeof environmentOptions>) {}

  reset(): Attempt {
    return { tries: 0 };
  }

  step({ prompt, state, text }: Turn<Attempt>): TurnOutcome<Attempt> {
    const tries = state.tries + 1;
    const done = tries >= this.o.tries || prompt.golds.includes(text.trim());
    return { state: { tries }, observation: this.o.again, done };
  }

  columns({ tries }: Attempt) {
    return { tries };
  }
}

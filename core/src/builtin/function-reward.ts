import pLimit from "p-limit";
import { type Static, Type } from "typebox";
import { PluginError } from "../errors.js";
import { options, rewardModel } from "../extension/component.js";
import type { RewardContext, RewardModel, RewardResult } from "../extension/points.js";
import type { Batch } from "../rollout/index.js";
import { ANSWER_COLUMNS, answerTexts } from "./rewards.js";

const functionOptions = Type.Object({
  function: Type.String({
    default: "reward",
    minLength: 1,
    description: "Name under which the calling program hands it over: train(config, { rewards: { NAME: … } })",
  }),
  concurrency: Type.Integer({ default: 8, minimum: 1, description: "Calls at a time, where the function waits for something" }),
});

/** [B] what a function of the calling program says of each response; the order of its answers does not matter. */
@rewardModel({
  id: "function",
  description: "A function of the program that trains, called once a response",
  options: functionOptions,
  reads: [...ANSWER_COLUMNS, "prompts", "golds", "truncated"],
  requires: ["functions"],
})
export class FunctionReward implements RewardModel {
  constructor(@options() private readonly o: Static<typeof functionOptions>) {}

  async score(batch: Batch, { services }: RewardContext): Promise<RewardResult> {
    const reward = services.functions(this.o.function);
    const [prompts, truncated] = [batch.strings("prompts"), batch.f64("truncated")];
    const golds = batch.json<readonly string[]>("golds");
    const limit = pLimit(this.o.concurrency);
    const calls = answerTexts(batch).map((completion, row) =>
      limit(async () => {
        const record = batch.trajectories[row]?.prompt.fields ?? {};
        const value = await reward({ prompt: prompts[row]!, completion, answers: golds[row]!, truncated: truncated[row] === 1, record });
        if (value === null || typeof value === "number") return value;
        throw new PluginError(`the reward function "${this.o.function}" returned ${typeof value}`, {
          accepted: "a number, or null for a response that it cannot judge",
        });
      }),
    );
    return { rewards: await Promise.all(calls) };
  }
}

import { join } from "node:path";
import { CheckpointError } from "../errors.js";

/** Path in a config of the model that a run starts from. */
const MODEL_PATH = "model.checkpoint";

/**
 * Opens the policy of a run in `folder`. A `CheckpointError` about the model that it started from, which checkpoints of
 * low-rank updates need as well, tells where that model is recorded and how to name its new place.
 */
export async function withRecordedModel<T>(folder: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof CheckpointError) || error.details.path !== MODEL_PATH) throw error;
    const record = join(folder, "config.json");
    throw new CheckpointError(error.message, {
      ...error.details,
      hint:
        `${record} names it as ${MODEL_PATH}: put it back, or change it there; eval, generate and export also ` +
        `take --set ${MODEL_PATH}=PATH`,
      cause: error,
    });
  }
}

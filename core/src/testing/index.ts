export * from "./episode.js";
export * from "./mocha.js";
export * from "./poison.js";
export * from "./random-batch.js";
export * from "./sample-context.js";
export * from "./terms.js";

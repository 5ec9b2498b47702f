export * from "./mocha.js";
export * from "./random-batch.js";
export * from "./terms.js";

export * from "./case.js";
export * from "./clip-terms.js";
export * from "./compare.js";
export * from "./components.js";
export * from "./examples.js";
export * from "./map.js";
export * from "./run.js";
export * from "./terms.js";

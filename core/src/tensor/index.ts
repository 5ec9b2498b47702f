export * from "./dim.js";
export * from "./evaluate.js";
export * from "./expr.js";
export * from "./gradient.js";
export * from "./shape.js";
export * from "./value.js";

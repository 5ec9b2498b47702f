export * from "./expr.js";
export * from "./gradient.js";
export * from "./shape.js";

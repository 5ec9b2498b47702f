export * from "./component.js";
export * from "./context.js";
export * from "./instantiate.js";
export * from "./manifest.js";
export * from "./names.js";
export * from "./plugin.js";
export * from "./points.js";
export * from "./services.js";

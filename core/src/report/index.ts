export * from "./warnings.js";
export { type ReportFacts, writeReport } from "./write.js";

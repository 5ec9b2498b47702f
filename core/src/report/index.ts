export { type ReportFacts, writeReport } from "./write.js";

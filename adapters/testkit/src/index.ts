export { randomBatch, sampleContext, type TermCheckOptions, termChecks, testTerms, testVectors } from "@proximal/core/testing";
export { type Check, type Effort, FULL, type Outcome, QUICK, runChecks } from "./check.js";
export { testPackage, testPlugin } from "./mocha.js";
export { borderValues, optionSets } from "./options.js";
export { type LoadedPackage, loadPackage, packageChecks } from "./package.js";
export { pluginChecks } from "./plugin.js";
export { type CheckFlags, checkFolder } from "./report.js";

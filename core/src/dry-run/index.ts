export { type DryRunOptions, type DryRunReport, dryRun, type ExampleRow } from "./dry-run.js";
export { estimateRun, type Rates, type RunEstimate, type Workload } from "./estimate.js";

export {
  COMPARISON_FILE,
  type CompareOptions,
  type Comparison,
  type ContenderResult,
  compareAlgorithms,
  type RunMeasures,
} from "./compare.js";
export { type Contender, contender, findTask, type Task } from "./contenders.js";
export { curve, type Measures, meanHeight, measure, tail } from "./measures.js";
export { writeComparison } from "./page.js";
export { type Estimate, estimate, type PairedDifference, pairedDifference } from "./statistics.js";
export { comparisonTable } from "./table.js";

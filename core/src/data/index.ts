export { type Contamination, describeContamination, findContamination } from "./contamination.js";
export * from "./dataset.js";
export { fieldOf, missingField } from "./fields.js";
export { isHubOffline } from "./hub.js";
export * from "./prompt.js";
export { openRecords } from "./records.js";
export { type DataRecord, memorySource, type RecordSource } from "./source.js";

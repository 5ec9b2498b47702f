import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { TSchema } from "typebox";
import { Installation, readJson } from "../config/installation.js";
import type { JsonSchema } from "../config/json-schema.js";
import { composeRunSchema } from "../config/run-schema.js";
import { runSchema } from "../config/schema.js";
import { manifestSchema } from "../extension/manifest.js";
import { conformanceSchema, datasetRecordSchema } from "./formats.js";

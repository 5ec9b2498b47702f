export type ErrorCode =
  | "config"
  | "data"
  | "plugin"
  | "composition"
  | "checkpoint"
  | "engine"
  | "numerical"
  | "shape"
  | "service"
  | "usage";

export interface ErrorDetails {
  /** File, and JSON path inside it, where the mistake stands. */
  file?: string;
  path?: string;
  given?: unknown;
  accepted?: string | readonly string[];
  /** Folders that were looked in, with those above each. */
  searched?: readonly string[];
  hint?: string;
  cause?: unknown;
}

/** A mistake of the user or of the environment: printed without a stack. Anything else that is thrown is a bug. */
export class ProximalError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = details;
  }

  /** Message, place, accepted values, places that were searched and hint: one line each. */
  describe(): string {
    const { file, path, given, accepted, searched, hint } = this.details;
    const place = [file, path].filter((part) => part !== undefined && part !== "").join(" at ");
    const lines = [place ? `${place}: ${this.message}` : this.message];
    if (given !== undefined) lines.push(`  given:    ${typeof given === "string" ? given : JSON.stringify(given)}`);
    if (accepted !== undefined) lines.push(`  accepted: ${typeof accepted === "string" ? accepted : accepted.join(", ")}`);
    if (searched !== undefined) lines.push(`  searched: node_modules in ${searched.join(", in ")} and in the folders above`);
    if (hint !== undefined) lines.push(`  hint:     ${hint}`);
    return lines.join("\n");
  }

  /** A plain value that crosses a worker boundary. */
  toJSON(): { code: ErrorCode; message: string; details: ErrorDetails } {
    const { cause: _cause, ...details } = this.details;
    return { code: this.code, message: this.message, details };
  }
}

const errorClass = (code: ErrorCode) =>
  class extends ProximalError {
    constructor(message: string, details?: ErrorDetails) {
      super(code, message, details);
    }
  };

export class ConfigError extends errorClass("config") {}
export class DataError extends errorClass("data") {}
export class PluginError extends errorClass("plugin") {}
export class CompositionError extends errorClass("composition") {}
export class CheckpointError extends errorClass("checkpoint") {}
export class EngineError extends errorClass("engine") {}
export class NumericalError extends errorClass("numerical") {}
/** Two operands of an expression do not fit. */
export class ShapeError extends errorClass("shape") {}
/** A server that the run asks (a judge, an embedding, a reward) refuses or does not answer. */
export class ServiceError extends errorClass("service") {}
export class UsageError extends errorClass("usage") {}

const classes = {
  config: ConfigError,
  data: DataError,
  plugin: PluginError,
  composition: CompositionError,
  checkpoint: CheckpointError,
  engine: EngineError,
  numerical: NumericalError,
  shape: ShapeError,
  service: ServiceError,
  usage: UsageError,
} as const;

/** Rebuilds an error from its `toJSON` form, on the other side of a worker boundary. */
export function errorFromJSON(value: { code: ErrorCode; message: string; details: ErrorDetails }): ProximalError {
  return new classes[value.code](value.message, value.details);
}

import { type ErrorCode, type ErrorDetails, errorFromJSON, ProximalError } from "@proximal/core";

/** Host → worker. */
export interface Request {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** An error on its way: a user's mistake as what it says, anything else with its stack. */
export type WireError =
  | { readonly kind: "user"; readonly code: ErrorCode; readonly message: string; readonly details: ErrorDetails }
  | { readonly kind: "bug"; readonly name: string; readonly message: string; readonly stack: string };

/** Worker → host. */
export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: WireError }
  | { readonly event: unknown };

/** Ends the worker once the requests before it are answered. */
export const CLOSE = "close the worker";

/** Details may hold whatever the user gave; only what JSON can say crosses. */
function plain(details: ErrorDetails): ErrorDetails {
  const text = JSON.stringify(details, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
  return JSON.parse(text) as ErrorDetails;
}

export function toWire(error: unknown): WireError {
  if (error instanceof ProximalError) {
    const { code, message, details } = error.toJSON();
    return { kind: "user", code, message, details: plain(details) };
  }
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: "bug", name, message, stack: stack ?? "" };
}

export function fromWire(error: WireError): Error {
  if (error.kind === "user") return errorFromJSON(error);
  return Object.assign(new Error(error.message), { name: error.name, stack: error.stack });
}

const transfers = new WeakMap<object, readonly ArrayBuffer[]>();

/** Marks an argument or a result whose buffers move to the other thread instead of being copied; here they are then empty. */
export function transfer<T extends object>(value: T, buffers: readonly ArrayBuffer[]): T {
  transfers.set(value, buffers);
  return value;
}

/** Moves arrays that have a buffer each of their own. */
export const transferArrays = <T extends Readonly<Record<string, Float32Array<ArrayBuffer>>>>(arrays: T): T =>
  transfer(
    arrays,
    Object.values(arrays).map(({ buffer }) => buffer),
  );

export function transferListOf(values: readonly unknown[]): ArrayBuffer[] {
  const list = values.flatMap((value) => (typeof value === "object" && value !== null ? (transfers.get(value) ?? []) : []));
  return [...new Set(list)];
}

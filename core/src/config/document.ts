import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { type Document, isMap, isNode, LineCounter, type Node, parse, parseDocument } from "yaml";
import { ConfigError } from "../errors.js";
import { formatPath, type Path, parsePath, startsWith, valueAt } from "./path.js";
import { decodeUtf8 } from "./text.js";

/** One `--set path=value`. */
export interface Override {
  path: Path;
  value: unknown;
  /** As it was typed. */
  text: string;
}

/** Reads `a.b=c`; the value is YAML. */
export function parseOverride(text: string): Override {
  const at = text.indexOf("=");
  const path = text.slice(0, Math.max(at, 0)).trim();
  if (at < 0 || path === "" || /\.\.|^\.|\.$|__proto__/.test(path)) {
    throw new ConfigError("this override names no value", {
      given: `--set ${text}`,
      accepted: "--set path=value, e.g. --set optimizer.learningRate=1e-5",
    });
  }
  try {
    return { path: parsePath(path), value: parse(text.slice(at + 1)), text: `--set ${text}` };
  } catch (cause) {
    throw new ConfigError(`the value of this override is not YAML: ${firstLine(cause)}`, { given: `--set ${text}`, cause });
  }
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0]!.replace(/:$/, "");

/** A config as its user wrote it, and where each value of it stands. */
export class ConfigDocument {
  private readonly overrides: Override[] = [];

  private constructor(
    readonly value: Record<string, unknown>,
    /** Folder of the file, or the working directory. */
    readonly folder: string,
    readonly cwd: string,
    readonly file?: string,
    private readonly source?: Document,
    private readonly lines?: LineCounter,
  ) {}

  /** YAML or JSON, by content. Errors: unreadable file, syntax, duplicate keys, root that is no object. */
  static read(file: string, cwd: string): ConfigDocument {
    const full = resolve(cwd, file);
    const shown = relative(cwd, full) || file;
    let bytes: Buffer;
    try {
      bytes = readFileSync(full);
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw new ConfigError(code === "ENOENT" ? "there is no such file" : `this file cannot be read: ${message}`, { file: shown, cause });
    }
    const text = decodeUtf8(bytes);
    if (text === undefined) throw new ConfigError("the text is not UTF-8", { file: shown, hint: "save the file in UTF-8" });
    const lines = new LineCounter();
    const source = parseDocument(text, { lineCounter: lines });
    const error = source.errors[0];
    if (error !== undefined) {
      const { line } = lines.linePos(error.pos[0]);
      throw new ConfigError(
        error.code === "DUPLICATE_KEY" ? "a key stands twice in one section" : firstLine(error).replace(/ at line \d+.*$/, ""),
        {
          file: `${shown}:${line}`,
          given: text.split("\n")[line - 1]!.trim(),
          hint: error.code === "TAB_AS_INDENT" ? "indent with spaces" : undefined,
          cause: error,
        },
      );
    }
    const value: unknown = source.toJS();
    if (!isRecord(value)) {
      throw new ConfigError("a config is an object of sections", {
        file: shown,
        given: value,
        accepted: "a YAML or JSON object, e.g. `data: …`",
      });
    }
    return new ConfigDocument(value, dirname(full), cwd, shown, source, lines);
  }

  static of(value: object, cwd: string): ConfigDocument {
    return new ConfigDocument(structuredClone(value) as Record<string, unknown>, cwd, cwd);
  }

  /** Writes a value, making the objects on its way. Errors: a way through something that is no object or list, a gap in a list. */
  set(override: Override): void {
    let target: unknown = this.value;
    override.path.forEach((step, i) => {
      const where = formatPath(override.path.slice(0, i)) || "the config";
      if (typeof target !== "object" || target === null) {
        throw new ConfigError(`${where} is no object or list`, { path: formatPath(override.path), given: override.text });
      }
      if (Array.isArray(target) && (typeof step !== "number" || step > target.length)) {
        throw new ConfigError(`${where} is a list of ${target.length}`, {
          path: formatPath(override.path),
          given: override.text,
          accepted: `an index from 0 to ${target.length}`,
        });
      }
      const inside = target as Record<string | number, unknown>;
      if (i === override.path.length - 1) inside[step] = override.value;
      else inside[step] ??= {};
      target = inside[step];
    });
    this.overrides.push(override);
  }

  private overrideOf(path: Path): Override | undefined {
    return this.overrides.findLast((override) => startsWith(path, override.path));
  }

  has(path: Path): boolean {
    return valueAt(this.value, path) !== undefined;
  }

  /** `run.yaml:12`, or the override that gave the value; undefined for a config that is no file. */
  place(path: Path): string | undefined {
    const override = this.overrideOf(path);
    if (override !== undefined) return override.text;
    const line = this.line(path);
    return line === undefined || this.file === undefined ? this.file : `${this.file}:${line}`;
  }

  /** Line of the key at `path`, or of the innermost value around it. */
  private line(path: Path): number | undefined {
    let node: unknown = this.source?.contents;
    let offset = offsetOf(node);
    for (const step of path) {
      const pair = isMap(node)
        ? node.items.find((item) => String((item.key as { value?: unknown }).value ?? item.key) === String(step))
        : undefined;
      const next: unknown =
        pair?.value ??
        (isNode(node) && "get" in node ? (node as { get(key: unknown, keep: boolean): unknown }).get(step, true) : undefined);
      const at = offsetOf(pair?.key) ?? offsetOf(next);
      if (at === undefined) break;
      offset = at;
      node = next;
    }
    return offset === undefined ? undefined : this.lines?.linePos(offset).line;
  }

  /** Folder that a relative path at `path` starts from: the working directory for overrides, else the file's own. */
  baseOf(path: Path): string {
    return this.overrideOf(path) === undefined ? this.folder : this.cwd;
  }
}

const offsetOf = (node: unknown): number | undefined => (isNode(node) ? ((node as Node).range?.[0] ?? undefined) : undefined);

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

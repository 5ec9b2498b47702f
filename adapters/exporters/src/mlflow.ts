import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ExportedRecord,
  type ExportedRun,
  type Exporter,
  exporter,
  options,
  type RunOutcome,
  type Static,
  Type,
  UsageError,
} from "@proximal/core";

export const mlflowOptions = Type.Object({
  url: Type.String({ pattern: "^https?://", description: "Address of the tracking server, e.g. http://127.0.0.1:5000" }),
  experiment: Type.String({ default: "proximal", minLength: 1, description: "Experiment; it is made when it does not exist" }),
  accessToken: Type.Optional(Type.String({ description: "Bearer token, as env:NAME" })),
  user: Type.Optional(Type.String({ description: "User name, for servers that ask for one" })),
  password: Type.Optional(Type.String({ description: "Password of the user, as env:NAME" })),
});

const STATUS: Readonly<Record<RunOutcome, string>> = { finished: "FINISHED", stopped: "KILLED", failed: "FAILED" };
const TIMEOUT = 10_000;
/** Limits of a request to `runs/log-batch`, and of a parameter's value, characters. */
const METRICS = 1000;
const PARAMS = 100;
const VALUE = 500;

/** Names may hold letters, digits, `_`, `-`, `.`, space, `:` and `/`: pass@4 becomes pass_4. */
const keyOf = (name: string): string => name.replaceAll(/[^\w\-. :/]/g, "_");

/** `optimizer.learningRate` → value, for every leaf of the config. */
function paramsOf(value: unknown, path = ""): { key: string; value: string }[] {
  if (typeof value !== "object" || value === null) return [{ key: keyOf(path), value: String(value).slice(0, VALUE) }];
  return Object.entries(value).flatMap(([key, inner]) => paramsOf(inner, path === "" ? key : `${path}.${key}`));
}

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

/** An MLflow tracking server, by its REST API 2.0: a run with the config as parameters and every metric. */
@exporter({ id: "mlflow", description: "A run on an MLflow tracking server", options: mlflowOptions })
export class MlflowExporter implements Exporter {
  private run = "";

  constructor(@options() private readonly o: Static<typeof mlflowOptions>) {}

  async open({ name, kind, folder, config, from }: ExportedRun): Promise<void> {
    const file = join(folder, "run.json");
    const known = from > 0 && existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { run: string }).run : undefined;
    if (known !== undefined) {
      await this.post("runs/update", { run_id: known, status: "RUNNING" });
      this.run = known;
      return;
    }
    // A start that failed behind this point is tried again with the same run.
    if (this.run === "") this.run = await this.create(name, kind, file);
    for (const params of chunks(paramsOf(config), PARAMS)) await this.post("runs/log-batch", { run_id: this.run, params });
  }

  async write(records: readonly ExportedRecord[]): Promise<void> {
    const metrics = records.flatMap(({ step, time, values }) =>
      Object.entries(values).flatMap(([name, value]) =>
        name === "step" || value === null ? [] : [{ key: keyOf(name), value, timestamp: time, step }],
      ),
    );
    for (const part of chunks(metrics, METRICS)) await this.post("runs/log-batch", { run_id: this.run, metrics: part });
  }

  async close(outcome: RunOutcome): Promise<void> {
    await this.post("runs/update", { run_id: this.run, status: STATUS[outcome], end_time: Date.now() });
  }

  /** Id of a new run, which is kept in `file`. */
  private async create(name: string, kind: ExportedRun["kind"], file: string): Promise<string> {
    const experiment = await this.experiment();
    const tags = [
      { key: "mlflow.source.name", value: "proximal" },
      { key: "proximal.kind", value: kind },
    ];
    const made = await this.post("runs/create", { experiment_id: experiment, run_name: name, start_time: Date.now(), tags });
    const { run_id: run } = (made as { run: { info: { run_id: string } } }).run.info;
    writeFileSync(file, `${JSON.stringify({ run, experiment, url: this.o.url })}\n`);
    return run;
  }

  /** Id of the experiment. */
  private async experiment(): Promise<string> {
    const name = encodeURIComponent(this.o.experiment);
    const found = await this.ask(`experiments/get-by-name?experiment_name=${name}`);
    if (found.ok) return ((await found.json()) as { experiment: { experiment_id: string } }).experiment.experiment_id;
    if (found.status !== 404) throw await this.refused(found, "experiments/get-by-name");
    return ((await this.post("experiments/create", { name: this.o.experiment })) as { experiment_id: string }).experiment_id;
  }

  private async post(call: string, body: unknown): Promise<unknown> {
    const response = await this.ask(call, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw await this.refused(response, call);
    return response.json();
  }

  private async ask(call: string, request: RequestInit = {}): Promise<Response> {
    const { url, accessToken, user, password } = this.o;
    const authorization =
      accessToken !== undefined
        ? `Bearer ${accessToken}`
        : user !== undefined
          ? `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}`
          : undefined;
    const headers = { "content-type": "application/json", ...(authorization === undefined ? {} : { authorization }) };
    const address = `${url.replace(/\/$/, "")}/api/2.0/mlflow/${call}`;
    try {
      return await fetch(address, { ...request, headers, signal: AbortSignal.timeout(TIMEOUT) });
    } catch (cause) {
      throw new UsageError(
        `${url} does not answer: ${((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message}`,
        { cause },
      );
    }
  }

  private async refused(response: Response, call: string): Promise<UsageError> {
    const { message } = (await response.json().catch(() => ({}))) as { message?: string };
    return new UsageError(
      `${this.o.url} answered ${call} with ${response.status}${message === undefined ? "" : `: ${message.slice(0, 200)}`}`,
    );
  }
}

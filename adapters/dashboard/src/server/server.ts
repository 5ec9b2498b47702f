import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { DataError, ProximalError } from "@proximal/core";
import { loadAssets, PAGE, POLICY } from "./assets.js";
import { EventStream } from "./events.js";
import { type Guard, refusalOf, tokenCookie } from "./guard.js";
import { RunIndex } from "./run-index.js";
import type { RunView } from "./run-view.js";

const HEADERS = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

class NotFound extends Error {}

/** Whole number of a query; `DataError` for anything else. */
function numberOf(url: URL, name: string): number {
  const text = url.searchParams.get(name) ?? "";
  if (!/^\d{1,9}$/.test(text)) throw new DataError(`the query lacks the number "${name}"`, { given: text });
  return Number(text);
}

type Answer = (run: RunView, url: URL) => unknown;

/** What can be asked of a run, `/api/<name>?run=…`. */
const ANSWERS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["metrics", (run, url) => run.metrics(numberOf(url, "from"), url.searchParams.get("generation") ?? "")],
  ["details", (run) => run.details()],
  ["samples", (run, url) => run.samples(numberOf(url, "step"))],
  ["tokens", (run, url) => run.tokens(numberOf(url, "step"), numberOf(url, "group"))],
  ["relation", (run) => run.relate()],
]);

/** A server that shows the runs in a folder. It only reads; what it serves is the page, its code, and these runs. */
export function createDashboard(folder: string, guard: Guard): Server {
  const index = new RunIndex(folder);
  const assets = loadAssets();
  const events = new EventStream(() => index.entries());

  const answer = async (url: URL): Promise<unknown> => {
    if (url.pathname === "/api/runs") return index.entries();
    const ask = ANSWERS.get(url.pathname.slice("/api/".length));
    const run = index.get(url.searchParams.get("run") ?? "");
    if (ask === undefined || run === undefined) throw new NotFound(run === undefined ? "there is no such run" : "there is no such answer");
    return ask(run, url);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = request.url ?? "/";
    if (!URL.canParse(asked, "http://localhost")) {
      response.writeHead(400, HEADERS).end();
      return;
    }
    const url = new URL(asked, "http://localhost");
    const send = (status: number, type: string, body: string | Buffer, more: Record<string, string> = {}): void => {
      response.writeHead(status, { ...HEADERS, "content-type": type, ...more });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    const refusal = refusalOf(request, url, guard);
    if (refusal !== undefined) return send(refusal.status, "text/plain; charset=utf-8", `${refusal.reason}\n`);
    if (url.pathname === "/") {
      const cookie: Record<string, string> = guard.token === null ? {} : { "set-cookie": tokenCookie(guard.token) };
      return send(200, "text/html; charset=utf-8", PAGE, cookie);
    }
    const asset = assets.get(url.pathname);
    if (asset !== undefined) return send(200, asset.type, asset.body);
    if (url.pathname === "/api/events" && request.method === "GET") return events.add(response);
    const json = "application/json; charset=utf-8";
    try {
      if (!url.pathname.startsWith("/api/")) throw new NotFound("there is no such page");
      send(200, json, JSON.stringify(await answer(url)));
    } catch (error) {
      if (error instanceof NotFound) return send(404, json, JSON.stringify({ error: error.message }));
      if (error instanceof ProximalError) return send(400, json, JSON.stringify({ error: error.message }));
      console.error(error);
      send(500, json, JSON.stringify({ error: "the dashboard failed: its terminal tells more" }));
    }
  };

  const server = createServer((request, response) => void handle(request, response));
  server.on("close", () => events.close());
  return server;
}

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

export const ID = "someone/tiny";

interface Request {
  /** Path of a file, else the path of the address. */
  path: string;
  range: string | undefined;
  token: string | undefined;
  /** Asked of the servers that large files lie on. */
  isStore: boolean;
}

const gitHash = (content: Buffer): string => createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex");
const sha256 = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

class Listener {
  address = "";
  private server: Server | undefined;

  constructor(private readonly answer: (request: IncomingMessage, url: URL, response: ServerResponse) => void) {}

  async start(): Promise<void> {
    this.server = createServer((request, response) => this.answer(request, new URL(request.url!, this.address), response));
    await new Promise<void>((done) => this.server!.listen(0, "127.0.0.1", done));
    this.address = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((done) => this.server?.close(done));
  }
}

/**
 * A Hub of one model, which answers as https://huggingface.co does: lists in pages, small files of an address that it
 * redirects to, large ones of another server by SHA-256, an X-Error-Code with every refusal.
 */
export class LocalHub {
  files: Record<string, Buffer> = {};
  /** Files above so many bytes lie on the other server. */
  large = 1000;
  /** Entries of one page of a list. */
  page = 1000;
  /** Commits by branch, tag and so on. */
  revisions = ["main"];
  /** The token that the model needs; listing may still be open to all. */
  needs: string | undefined;
  isListed = true;
  /** Large files are offered by the Xet protocol too. */
  isXet = false;
  /** The account of the token has not accepted the conditions. */
  isRefused = false;
  /** Bytes after which the connection breaks, by file; once. */
  breaks: Record<string, number> = {};
  /** Files that are sent with another content. */
  forged = new Set<string>();
  /** Another status of every answer. */
  status = 200;
  requests: Request[] = [];

  private readonly hub = new Listener((request, url, response) => this.answer(request, url, response));
  private readonly store = new Listener((request, url, response) => {
    const path = decodeURIComponent(url.pathname.slice(1));
    this.log(request, path, true);
    this.send(path, request, response, { "accept-ranges": "bytes" });
  });

  async start(): Promise<string> {
    await Promise.all([this.hub.start(), this.store.start()]);
    return this.hub.address;
  }

  async stop(): Promise<void> {
    await Promise.all([this.hub.stop(), this.store.stop()]);
  }

  private log({ headers: { range, authorization: token } }: IncomingMessage, path: string, isStore = false): void {
    this.requests.push({ path, range, token, isStore });
  }

  private answer(request: IncomingMessage, url: URL, response: ServerResponse): void {
    const [, tree] = /^\/api\/models\/someone\/tiny\/tree\/([^/]+)$/.exec(url.pathname) ?? [];
    const [, revision, path] = /^\/someone\/tiny\/resolve\/([^/]+)\/(.+)$/.exec(url.pathname) ?? [];
    const [, cached] = /^\/api\/resolve-cache\/(.+)$/.exec(url.pathname) ?? [];
    const wanted = tree ?? revision;
    this.log(request, path ?? cached ?? url.pathname);
    if (this.status !== 200) this.refuse(response, this.status, undefined, "no");
    else if (cached !== undefined) this.send(cached, request, response, {});
    else if (wanted === undefined) this.refuse(response, 401, "RepoNotFound", "Invalid username or password.");
    else if (!this.isAllowed(request, response, tree !== undefined)) return;
    else if (!this.revisions.includes(decodeURIComponent(wanted)))
      this.refuse(response, 404, "RevisionNotFound", `Invalid rev id: ${wanted}`);
    else if (path === undefined) this.list(url, response);
    else this.resolve(path, request, response);
  }

  private isAllowed({ headers: { authorization } }: IncomingMessage, response: ServerResponse, isList: boolean): boolean {
    if (this.needs === undefined || (isList && this.isListed)) return true;
    if (authorization === undefined) {
      const code = this.isListed ? "GatedRepo" : "RepoNotFound";
      this.refuse(response, 401, code, this.isListed ? "Access to model someone/tiny is restricted." : "Invalid username or password.");
    } else if (authorization !== `Bearer ${this.needs}`) {
      this.refuse(response, 401, undefined, "Invalid credentials in Authorization header");
    } else if (this.isRefused) this.refuse(response, 403, "GatedRepo", "Access to model someone/tiny is restricted.");
    else return true;
    return false;
  }

  private refuse(response: ServerResponse, status: number, code: string | undefined, error: string): void {
    const reason = code === undefined ? {} : { "x-error-code": code };
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", "x-error-message": error, ...reason });
    response.end(JSON.stringify({ error }));
  }

  private list(url: URL, response: ServerResponse): void {
    const recursive = url.searchParams.get("recursive") === "true";
    const names = Object.keys(this.files).filter((name) => recursive || !name.includes("/"));
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const entries = names.slice(from, from + this.page).map((path) => {
      const content = this.files[path]!;
      const lfs = { oid: sha256(content), size: content.length, pointerSize: 130 };
      const oid = gitHash(content);
      return { type: "file", path, size: content.length, oid, ...(content.length > this.large ? { lfs } : {}) };
    });
    const next = new URL(url);
    next.searchParams.set("cursor", String(from + this.page));
    const more = from + this.page < names.length ? { link: `<${next.href}>; rel="next"` } : {};
    response.writeHead(200, { "content-type": "application/json; charset=utf-8", ...more }).end(JSON.stringify(entries));
  }

  private resolve(path: string, request: IncomingMessage, response: ServerResponse): void {
    const content = this.files[path];
    if (content === undefined) {
      this.refuse(response, 404, "EntryNotFound", "Entry not found");
      return;
    }
    if (content.length <= this.large) {
      response.writeHead(307, { location: `/api/resolve-cache/${path}` }).end();
      return;
    }
    const linked = { "x-linked-size": content.length, "x-linked-etag": `"${sha256(content)}"`, "x-xet-hash": sha256(content) };
    if (this.isXet && request.headers.accept?.includes("application/vnd.xet-fileinfo+json")) {
      const links = ["xet-auth", "xet-reconstruction-info"].map((rel) => `<${this.hub.address}/xet>; rel="${rel}"`).join(", ");
      response.writeHead(200, {
        ...linked,
        "content-type": "application/vnd.xet-fileinfo+json",
        etag: linked["x-linked-etag"],
        link: links,
      });
      response.end("{}");
    } else response.writeHead(302, { ...linked, location: `${this.store.address}/${encodeURIComponent(path)}?signature=1` }).end();
  }

  /** A whole file, gzipped for those who take it, or a range as it is. */
  private send(path: string, { headers }: IncomingMessage, response: ServerResponse, fields: Record<string, string>): void {
    const content = this.forged.has(path) ? Buffer.from(this.files[path]!).fill(1) : this.files[path]!;
    const etag = { etag: '"x"', ...fields };
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
    if (from !== undefined) {
      if (content.length === 0) response.writeHead(416, { "content-range": "bytes */0" }).end();
      else
        this.end(path, content.subarray(Number(from), Number(to) + 1), response, 206, {
          ...etag,
          "content-range": `bytes ${from}-${to}/${content.length}`,
        });
    } else if (content.length <= this.large && headers["accept-encoding"]?.includes("gzip")) {
      this.end(path, gzipSync(content), response, 200, { ...etag, "content-encoding": "gzip" });
    } else this.end(path, content, response, 200, etag);
  }

  private end(path: string, part: Buffer, response: ServerResponse, status: number, headers: Record<string, string>): void {
    response.writeHead(status, { ...headers, "content-length": part.length });
    const limit = this.breaks[path];
    if (limit === undefined || part.length === 1) response.end(part);
    else {
      delete this.breaks[path];
      response.write(part.subarray(0, limit), () => setTimeout(() => response.destroy(), 20));
    }
  }
}

import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { UsageError } from "@proximal/core";
import { LOOPBACK } from "./server/guard.js";
import { createDashboard } from "./server/server.js";

export interface DashboardOptions {
  /** 6340 by default, or the next free one; an explicit port is used or refused. 0 = any. */
  port?: number;
  /** Address to listen on; 127.0.0.1 by default. On any other one, a token is asked for. */
  host?: string;
}

export interface RunningDashboard {
  /** With its token, if there is one. */
  url: string;
  close(): Promise<void>;
}

const PORT = 6340;
const TRIES = 20;

/** Serves the runs in a folder. Errors: no such folder, a port that is taken, an address that is not this machine's. */
export async function startDashboard(folder: string, { port, host = "127.0.0.1" }: DashboardOptions = {}): Promise<RunningDashboard> {
  const isLocal = LOOPBACK.has(host) || host === "::1";
  const token = isLocal ? null : randomBytes(16).toString("hex");
  const name = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host.toLowerCase();
  // On all addresses the name that others use is not known.
  const isOpen = host === "0.0.0.0" || host === "::";
  const server = createDashboard(resolve(folder), { hosts: isOpen ? null : new Set([...LOOPBACK, name]), token });
  const listen = (at: number): Promise<void> =>
    new Promise((done, fail) => {
      server.once("error", fail);
      server.listen(at, host, () => {
        server.off("error", fail);
        done();
      });
    });
  for (let i = 0; ; i++) {
    try {
      await listen(port ?? PORT + i);
      break;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && port === undefined && i < TRIES) continue;
      if (code === "EADDRINUSE") throw new UsageError(`port ${port ?? PORT} is taken`, { hint: "choose another one with --port" });
      if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") throw new UsageError("this machine has no such address", { given: host });
      if (code === "EACCES") throw new UsageError(`port ${port} may not be opened`, { accepted: "a port from 1024" });
      if (code === "ERR_SOCKET_BAD_PORT") throw new UsageError(`there is no port ${port}`, { accepted: "a port from 1024 to 65535" });
      throw error;
    }
  }
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${isOpen ? "localhost" : name}:${taken}/${token === null ? "" : `?token=${token}`}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

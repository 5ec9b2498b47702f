import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export interface Guard {
  /** Names, without port, under which the page may be asked for; null = any: the token alone guards. */
  hosts: ReadonlySet<string> | null;
  /** Every request must know it; null where only this machine can connect. */
  token: string | null;
}

export const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
const COOKIE = "proximal-token";

export interface Refusal {
  status: number;
  reason: string;
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
const isEqual = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

function cookieOf(request: IncomingMessage): string | undefined {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([name]) => name === COOKIE)?.[1];
}

/**
 * Why a request is not answered; undefined for one that may pass. A page elsewhere that rebinds its name to this machine still
 * sends its own name as Host; other pages' requests are told by Sec-Fetch-Site.
 */
export function refusalOf(request: IncomingMessage, url: URL, { hosts, token }: Guard): Refusal | undefined {
  if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, reason: "the dashboard only reads" };
  const host = (request.headers.host ?? "").replace(/:\d+$/, "").toLowerCase();
  if (hosts !== null && !hosts.has(host)) return { status: 403, reason: "this host name is not served here" };
  const site = request.headers["sec-fetch-site"];
  const isVisit = request.headers["sec-fetch-mode"] === "navigate" && url.pathname === "/";
  if (site !== undefined && site !== "same-origin" && site !== "none" && !isVisit) {
    return { status: 403, reason: "requests of other pages are not answered" };
  }
  if (token === null) return undefined;
  const given = url.searchParams.get("token") ?? cookieOf(request);
  return given !== null && given !== undefined && isEqual(given, token)
    ? undefined
    : { status: 401, reason: "open the address with its token, as the command printed it" };
}

/** Keeps the token for the page's own requests. */
export const tokenCookie = (token: string): string => `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/`;

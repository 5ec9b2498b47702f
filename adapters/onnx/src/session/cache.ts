import { createHash } from "node:crypto";
import type { Session } from "./session.js";

/** Whatever decides which session is needed: program, dtype, provider, options, shape bucket. Key order does not matter. */
export type KeyParts = Readonly<Record<string, unknown>>;

function canonical(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(canonical);
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, v]) => [key, canonical(v)]);
}

export const sessionKey = (parts: KeyParts): string =>
  createHash("sha256")
    .update(JSON.stringify(canonical(parts)))
    .digest("hex");

/** The identity of an ONNX file. */
export const graphDigest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * At most one live session a role (update, score, generate, …): each holds an arena as large as its largest run. Asking for
 * another key closes the role's session first.
 */
export class SessionCache<Role extends string = string> {
  private readonly live = new Map<Role, { key: string; session: Promise<Session> }>();

  /** The role's session for `key`; `open` is called only if that is not the live one. */
  get(role: Role, key: string, open: () => Promise<Session>): Promise<Session> {
    const current = this.live.get(role);
    if (current?.key === key) return current.session;
    const session = (async () => {
      await release(current);
      return open();
    })();
    const entry = { key, session };
    this.live.set(role, entry);
    session.catch(() => {
      if (this.live.get(role) === entry) this.live.delete(role);
    });
    return session;
  }

  /** Closes the session of one role, or all. */
  async release(role?: Role): Promise<void> {
    const roles = role === undefined ? [...this.live.keys()] : [role];
    const entries = roles.map((name) => this.live.get(name));
    for (const name of roles) this.live.delete(name);
    await Promise.all(entries.map(release));
  }
}

async function release(entry: { session: Promise<Session> } | undefined): Promise<void> {
  const session = await entry?.session.catch(() => undefined);
  await session?.release();
}

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { UsageError } from "../../errors.js";

/** Who works on a run. */
interface Holder {
  pid: number;
  host: string;
  /** When the process began, as its system counts; tells a process from a later one of the same number. null = not known. */
  began: string | null;
}

/** Field 22 of /proc/PID/stat: clock ticks from the system's start to the process's. Only Linux has it. */
function beginOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}

function isAlive({ pid, began }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return began === null || beginOf(pid) === began;
}

function holderOf(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return null;
  }
}

/** `UsageError` while another process holds the lock. One that a dead process of this host left behind does not count. */
export function refuseLocked(file: string): void {
  const holder = existsSync(file) ? holderOf(file) : null;
  if (holder === null || (holder.host === hostname() && !isAlive(holder))) return;
  throw new UsageError("another process is at work on this run", {
    file,
    given: `process ${holder.pid} on ${holder.host}`,
    hint: holder.host === hostname() ? "wait for it, or stop it" : "wait for it, or delete the file when that process is gone",
  });
}

/** Takes the lock and returns what releases it. Errors: as `refuseLocked`. */
export function takeLock(file: string): () => void {
  refuseLocked(file);
  rmSync(file, { force: true });
  const own: Holder = { pid: process.pid, host: hostname(), began: beginOf(process.pid) };
  try {
    // Fails when another process was faster.
    writeFileSync(file, `${JSON.stringify(own)}\n`, { flag: "wx" });
  } catch (error) {
    refuseLocked(file);
    throw error;
  }
  return () => rmSync(file, { force: true });
}

import "reflect-metadata";
import { existsSync } from "node:fs";
import { optionalPackage } from "../optional.js";

export interface DashboardFlags {
  port?: number;
  host?: string;
}

interface Dashboard {
  startDashboard(folder: string, flags: DashboardFlags): Promise<{ url: string; close(): Promise<void> }>;
}

/** `proximal dashboard`: serves until it is interrupted. */
export async function dashboardCommand(given: string | undefined, flags: DashboardFlags): Promise<void> {
  const { startDashboard } = await optionalPackage<Dashboard>("@proximal/dashboard", "proximal dashboard");
  const folder = given ?? (existsSync("runs") ? "runs" : ".");
  const { url, close } = await startDashboard(folder, flags);
  console.log(`runs in ${folder}: ${url}\nCtrl-C stops it`);
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => done());
  });
  await close();
}

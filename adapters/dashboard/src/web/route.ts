import { useEffect, useState } from "preact/hooks";

/** What the address says: the run in view, its tab, runs beside it, and what the tab itself keeps there. */
export interface Route {
  run: string | null;
  tab: Tab;
  beside: readonly string[];
  step: number | null;
}

export const TABS = ["curves", "samples", "rewards", "system", "config"] as const;
export type Tab = (typeof TABS)[number];

function read(): Route {
  const query = new URLSearchParams(location.hash.slice(1));
  const tab = query.get("tab") as Tab;
  const step = query.get("step");
  return {
    run: query.get("run"),
    tab: TABS.includes(tab) ? tab : "curves",
    beside: query.getAll("with"),
    step: step === null || !/^\d+$/.test(step) ? null : Number(step),
  };
}

function write({ run, tab, beside, step }: Route): void {
  const query = new URLSearchParams();
  if (run !== null) query.set("run", run);
  if (tab !== "curves") query.set("tab", tab);
  for (const id of beside) query.append("with", id);
  if (step !== null) query.set("step", String(step));
  history.replaceState(null, "", `#${query}`);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The route, and a function that changes parts of it. */
export function useRoute(): [Route, (part: Partial<Route>) => void] {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const update = () => setRoute(read());
    addEventListener("hashchange", update);
    return () => removeEventListener("hashchange", update);
  }, []);
  return [route, (part) => write({ ...read(), ...part })];
}

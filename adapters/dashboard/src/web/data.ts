import { useEffect, useRef, useState } from "preact/hooks";
import type { MetricsPage, MetricsRecord, RunEntry, SystemUse, Tick } from "./api.js";

export async function ask<T>(name: string, query: Readonly<Record<string, string | number>>): Promise<T> {
  const text = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)]));
  const response = await fetch(`/api/${name}?${text}`);
  const body = (await response.json()) as T & { error?: string };
  if (!response.ok) throw new Error(body.error ?? `the server answered ${response.status}`);
  return body;
}

export interface Live {
  runs: readonly RunEntry[] | null;
  system: readonly SystemUse[];
  isConnected: boolean;
}

const SYSTEM_POINTS = 300;

/** Runs and use of the machine as the server tells them; the browser connects again by itself. */
export function useLive(): Live {
  const [live, setLive] = useState<Live>({ runs: null, system: [], isConnected: true });
  useEffect(() => {
    const source = new EventSource("/api/events");
    source.onmessage = ({ data }: MessageEvent<string>) => {
      const { runs, system } = JSON.parse(data) as Tick;
      setLive((before) => ({ runs, system: [...before.system, system].slice(-SYSTEM_POINTS), isConnected: true }));
    };
    source.onerror = () => setLive((before) => ({ ...before, isConnected: false }));
    return () => source.close();
  }, []);
  return live;
}

/** An answer that is asked for whenever `key` changes; the old one stays until the new one is there. */
export function useAnswer<T>(key: string | null, get: () => Promise<T>): { value: T | null; error: string | null } {
  const [state, setState] = useState<{ value: T | null; error: string | null }>({ value: null, error: null });
  useEffect(() => {
    if (key === null) return;
    let isCurrent = true;
    get().then(
      (value) => isCurrent && setState({ value, error: null }),
      (error: Error) => isCurrent && setState((before) => ({ ...before, error: error.message })),
    );
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return state;
}

interface Loaded {
  generation: string;
  records: readonly MetricsRecord[];
}

/** The metrics of runs by their ids, extended as the runs go on. */
export function useMetrics(entries: readonly RunEntry[]): ReadonlyMap<string, readonly MetricsRecord[]> {
  const loaded = useRef(new Map<string, Loaded>());
  const busy = useRef(new Set<string>());
  const [, redraw] = useState(0);
  const key = entries.map(({ id, generation, steps, updated }) => `${id}|${generation}|${steps}|${updated}`).join("\n");
  useEffect(() => {
    for (const { id } of entries) {
      if (busy.current.has(id)) continue;
      busy.current.add(id);
      const known = loaded.current.get(id);
      ask<MetricsPage>("metrics", { run: id, from: known?.records.length ?? 0, generation: known?.generation ?? "" })
        .then(({ generation, from, records }) => {
          if (known !== undefined && generation === known.generation && records.length === 0) return;
          loaded.current.set(id, { generation, records: [...(known?.records ?? []).slice(0, from), ...records] });
          redraw((n) => n + 1);
        })
        .catch(() => undefined)
        .finally(() => busy.current.delete(id));
    }
  }, [key]);
  return new Map(entries.map(({ id }) => [id, loaded.current.get(id)?.records ?? []]));
}

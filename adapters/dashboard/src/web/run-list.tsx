import { useState } from "preact/hooks";
import type { RunEntry } from "./api.js";
import { ago, number, percent } from "./format.js";

interface RunListProps {
  runs: readonly RunEntry[];
  current: string | null;
  beside: readonly string[];
  onOpen: (id: string) => void;
  onBeside: (ids: string[]) => void;
  /** Colour of each shown run, from 1. */
  colours: ReadonlyMap<string, number>;
}

const STATUS = { running: "running", finished: "finished", stopped: "not finished" } as const;

function Progress({ steps, planned }: RunEntry) {
  if (planned === null) return <span>{steps} steps</span>;
  return (
    <span>
      {steps} / {planned}
    </span>
  );
}

export function RunList({ runs, current, beside, onOpen, onBeside, colours }: RunListProps) {
  const [filter, setFilter] = useState("");
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = runs.filter((run) => {
    const text = `${run.id} ${run.name} ${run.algorithm ?? ""} ${run.status}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const toggle = (id: string) => onBeside(beside.includes(id) ? beside.filter((other) => other !== id) : [...beside, id]);
  return (
    <>
      <label class="filter">
        <span class="hidden">Filter runs</span>
        <input type="search" placeholder="filter runs" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      </label>
      {shown.length === 0 && <p class="quiet">No run matches.</p>}
      <ul class="runs">
        {shown.map((run) => (
          <li key={run.id} class={run.id === current ? "run current" : "run"}>
            <input
              type="checkbox"
              aria-label={`Compare with ${run.id}`}
              title="Compare"
              checked={run.id === current || beside.includes(run.id)}
              disabled={run.id === current}
              onChange={() => toggle(run.id)}
              style={colours.has(run.id) ? `accent-color: var(--series-${colours.get(run.id)})` : undefined}
            />
            <button type="button" aria-current={run.id === current} onClick={() => onOpen(run.id)}>
              <span class="name">
                <span class={`dot ${run.status}`} title={STATUS[run.status]} /> {run.id === "." ? run.name : run.id}
              </span>
              <span class="quiet">
                {run.algorithm ?? (run.kind === "sft" ? "supervised" : "own")} · <Progress {...run} /> · {STATUS[run.status]}
              </span>
              <span class="quiet">
                {run.reward !== null && <>reward {number(run.reward)} · </>}
                {run.accuracy !== null && <>accuracy {percent(run.accuracy)} · </>}
                {ago(Date.now() - run.updated)} ago
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

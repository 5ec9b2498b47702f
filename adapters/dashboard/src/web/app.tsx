import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunDetails, RunEntry, SystemUse } from "./api.js";
import { Config } from "./config.js";
import { Curves } from "./curves.js";
import { ask, useAnswer, useLive, useMetrics } from "./data.js";
import { number, percent } from "./format.js";
import { Rewards } from "./rewards.js";
import { type Route, TABS, type Tab, useRoute } from "./route.js";
import { RunList } from "./run-list.js";
import { Samples } from "./samples.js";
import { System } from "./system.js";
import { useTheme } from "./theme.js";
import { Quiet } from "./ui.js";

const TITLES: Readonly<Record<Tab, string>> = {
  curves: "Curves",
  samples: "Samples",
  rewards: "Rewards",
  system: "System",
  config: "Config",
};
/** Colours that stay apart. */
const COLOURS = 8;

const subtitle = ({ kind, algorithm, seed, status }: RunEntry): string =>
  [
    kind === "sft" ? "supervised training" : (algorithm ?? "own composition"),
    ...(seed === null ? [] : [`seed ${seed}`]),
    status === "stopped" ? "not finished" : status,
  ].join(" · ");

/** How far the run is, and how good. */
function Tiles({ steps, planned, reward, accuracy }: RunEntry) {
  const tiles: [name: string, value: string, beside?: string][] = [
    ["Step", String(steps), planned === null ? "" : `of ${planned}`],
    ...(reward === null ? [] : [["Reward", number(reward)] as [string, string]]),
    ...(accuracy === null ? [] : [["Held-out accuracy", percent(accuracy)] as [string, string]]),
  ];
  return (
    <dl class="tiles">
      {tiles.map(([name, value, beside = ""]) => (
        <div class="tile" key={name}>
          <dt>{name}</dt>
          <dd>
            {value} {beside !== "" && <small>{beside}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** 1 to 5 choose a view, / the search. */
function useShortcuts(go: ReturnType<typeof useRoute>[1]): void {
  useEffect(() => {
    const isTyping = (target: EventTarget | null) => target instanceof HTMLElement && /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
    const keys = (event: KeyboardEvent) => {
      const { target, key } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
      const tab = TABS[Number(key) - 1];
      if (tab !== undefined) go({ tab });
      else if (key === "/") document.querySelector<HTMLInputElement>('main input[type="search"]')?.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  }, []);
}

interface ViewProps {
  /** The chosen run, and those beside it. */
  shown: readonly [RunEntry, ...RunEntry[]];
  details: RunDetails | null;
  metrics: ReturnType<typeof useMetrics>;
  colourOf: ReadonlyMap<string, number>;
  colours: number;
  system: readonly SystemUse[];
  route: Route;
  go: ReturnType<typeof useRoute>[1];
}

/** What the chosen tab shows of a run. */
function View({ shown, details, metrics, colourOf, colours, system, route: { tab, step }, go }: ViewProps) {
  const [run] = shown;
  const records = metrics.get(run.id) ?? [];
  if (tab === "curves") return <Curves runs={shown} metrics={metrics} colourOf={colourOf} colours={colours} />;
  if (tab === "system") return <System run={run} records={records} system={system} colours={colours} />;
  if (details === null) return <Quiet>Loading…</Quiet>;
  if (tab === "samples")
    return <Samples key={run.id} run={run} steps={details.steps} step={step} onStep={(chosen) => go({ step: chosen })} />;
  if (tab === "rewards") return <Rewards run={run} details={details} records={records} step={step} colours={colours} />;
  return <Config runs={shown} details={details} />;
}

export function App() {
  const { runs, system, isConnected } = useLive();
  const [route, go] = useRoute();
  const { theme, next, colours } = useTheme();
  const [isListOpen, setListOpen] = useState(false);
  const current = runs?.find(({ id }) => id === route.run) ?? runs?.[0] ?? null;
  const beside = (runs ?? []).filter(({ id }) => route.beside.includes(id) && id !== current?.id);
  const shown = current === null ? [] : [current, ...beside];
  const metrics = useMetrics(shown);
  const colourOf = useMemo(() => new Map(shown.map(({ id }, i) => [id, (i % COLOURS) + 1])), [shown.map(({ id }) => id).join("\n")]);
  const { value: details } = useAnswer<RunDetails>(
    current === null ? null : `${current.id}/${current.generation}/${current.steps}/${current.status}`,
    () => ask("details", { run: current!.id }),
  );
  useEffect(() => {
    document.title = current === null ? "Proximal" : `${current.name} – Proximal`;
  }, [current?.name]);
  useShortcuts(go);

  return (
    <>
      <header class="top">
        <span class="brand">
          <img src="/icon.svg" alt="" width="22" height="22" />
          Proximal
        </span>
        <button type="button" class="menu" aria-expanded={isListOpen} aria-controls="runs" onClick={() => setListOpen(!isListOpen)}>
          Runs {runs === null ? "" : `(${runs.length})`}
        </button>
        <span class="spacer" />
        {!isConnected && <span role="alert">The server does not answer; trying again.</span>}
        <button type="button" onClick={next}>
          Theme: {theme}
        </button>
      </header>
      <div class="body">
        <nav id="runs" aria-label="Runs" class={isListOpen ? "side open" : "side"}>
          {runs !== null && (
            <RunList
              runs={runs}
              current={current?.id ?? null}
              beside={route.beside}
              colours={colourOf}
              onOpen={(run) => {
                go({ run, beside: [], step: null });
                setListOpen(false);
              }}
              onBeside={(ids) => go({ run: current?.id ?? null, beside: ids })}
            />
          )}
        </nav>
        <main>
          {runs !== null && current === null && <Quiet>There is no run in this folder yet. It shows up here when one starts.</Quiet>}
          {current !== null && (
            <>
              <h1>{current.id === "." ? current.name : current.id}</h1>
              <p class="quiet">
                {subtitle(current)}
                {beside.length > 0 && ` · beside ${beside.map(({ id }) => id).join(", ")}`}
              </p>
              <Tiles {...current} />
              {details !== null && details.warnings.length > 0 && route.tab !== "rewards" && (
                <p class="alert">
                  {details.warnings.map(({ title }) => title).join(" · ")}{" "}
                  <button type="button" onClick={() => go({ tab: "rewards" })}>
                    more
                  </button>
                </p>
              )}
              <div class="tabs" role="tablist" aria-label="Views">
                {TABS.map((tab) => (
                  <button
                    key={tab}
                    type="button"
                    role="tab"
                    id={`tab-${tab}`}
                    aria-selected={tab === route.tab}
                    aria-controls="panel"
                    onClick={() => go({ tab })}
                  >
                    {TITLES[tab]}
                  </button>
                ))}
              </div>
              <div id="panel" role="tabpanel" aria-labelledby={`tab-${route.tab}`} key={route.tab}>
                <View
                  shown={[current, ...beside]}
                  details={details}
                  metrics={metrics}
                  colourOf={colourOf}
                  colours={colours}
                  system={system}
                  route={route}
                  go={go}
                />
              </div>
            </>
          )}
        </main>
      </div>
    </>
  );
}

import { useEffect, useMemo, useState } from "preact/hooks";
import type { GroupSummary, RowSummary, RowTokens, RunEntry, StepSamples } from "./api.js";
import { ask, useAnswer } from "./data.js";
import { mean, number, present } from "./format.js";
import { LEGENDS, MEASURES, type Measure, Tokens } from "./tokens.js";
import { Choice, Fact, Quiet } from "./ui.js";

const SORTS = [
  ["sampled", "as sampled"],
  ["reward-down", "reward, highest first"],
  ["reward-up", "reward, lowest first"],
  ["spread", "reward spread, widest first"],
  ["length-down", "longest first"],
  ["length-up", "shortest first"],
  ["limited", "most limited tokens first"],
  ["disagreement", "disagreement of two rewards"],
] as const;
type Sort = (typeof SORTS)[number][0];
const SHOWN = 12;

type Disagree = (row: RowSummary) => number | null;

/** Difference of two components, each brought to 0…1 over the step. */
function disagreementOf(groups: readonly GroupSummary[], a: string, b: string): Disagree {
  const partOf = (row: RowSummary, name: string) => (name === "correct" ? row.correct : (row.rewards[name] ?? null));
  const rows = groups.flatMap((group) => group.rows);
  const scaled = (name: string) => {
    const values = present(rows.map((row) => partOf(row, name)));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return (row: RowSummary) => {
      const value = partOf(row, name);
      return value === null || high === low ? value : (value - low) / (high - low);
    };
  };
  const [first, second] = [scaled(a), scaled(b)];
  return (row) => {
    const [x, y] = [first(row), second(row)];
    return x === null || y === null ? null : Math.abs(x - y);
  };
}

/** What rows and groups are sorted by, largest first; null comes last. */
function keyOf(sort: Sort, disagree: Disagree): (row: RowSummary) => number | null {
  const keys: Record<Sort, (row: RowSummary) => number | null> = {
    sampled: () => 0,
    "reward-down": (row) => row.reward,
    "reward-up": (row) => (row.reward === null ? null : -row.reward),
    spread: (row) => row.reward,
    "length-down": (row) => row.length,
    "length-up": (row) => -row.length,
    limited: (row) => row.limited,
    disagreement: disagree,
  };
  return keys[sort];
}

const byKey =
  <T,>(key: (item: T) => number | null) =>
  (a: T, b: T): number =>
    (key(b) ?? Number.NEGATIVE_INFINITY) - (key(a) ?? Number.NEGATIVE_INFINITY) || 0;

function groupKey(sort: Sort, rowKey: (row: RowSummary) => number | null): (group: GroupSummary) => number | null {
  return ({ rows }) => {
    const values = present(rows.map(rowKey));
    if (values.length === 0) return null;
    if (sort === "spread") return Math.max(...values) - Math.min(...values);
    return sort === "disagreement" || sort === "limited" ? Math.max(...values) : mean(values);
  };
}

interface RowProps {
  row: RowSummary;
  tokens: RowTokens | undefined;
  measure: Measure;
  largest: number;
  disagreement: number | null;
}

function Row({ row, tokens, measure, largest, disagreement }: RowProps) {
  const components = Object.entries(row.rewards);
  const verdict = row.correct === 1 ? "right" : row.correct === 0 ? "wrong" : undefined;
  return (
    <article class="row">
      <dl>
        <Fact name="reward">
          <b>{number(row.reward)}</b>
        </Fact>
        {verdict && <Fact name="answer">{verdict}</Fact>}
        {components.length > 1 &&
          components.map(([name, value]) => (
            <Fact key={name} name={name}>
              {number(value)}
            </Fact>
          ))}
        <Fact name="advantage">{row.advantage === null ? "not trained on" : number(row.advantage)}</Fact>
        <Fact name="tokens">{row.length}</Fact>
        {row.limited > 0 && <Fact name="limited">{row.limited}</Fact>}
        {row.finish !== "stop" && <Fact name="end">{row.finish}</Fact>}
        {disagreement !== null && <Fact name="disagreement">{number(disagreement)}</Fact>}
      </dl>
      {tokens === undefined ? <div class="tokens">{row.text}</div> : <Tokens row={tokens} measure={measure} largest={largest} />}
    </article>
  );
}

interface GroupProps {
  run: string;
  step: number;
  group: GroupSummary;
  measure: Measure;
  rowKey: (row: RowSummary) => number | null;
  disagree: Disagree | null;
  isFirst: boolean;
}

function Group({ run, step, group, measure, rowKey, disagree, isFirst }: GroupProps) {
  const [isOpen, setOpen] = useState(isFirst);
  const key = isOpen ? `${run}/${step}/${group.group}` : null;
  const { value } = useAnswer<RowTokens[]>(key, () => ask("tokens", { run, step, group: group.group }));
  const tokens = new Map(value?.map((row) => [row.row, row]));
  const largest = Math.max(0, ...(value ?? []).flatMap(({ advantage }) => present(advantage ?? [])).map(Math.abs));
  const facts = [
    `group ${group.group}`,
    `mean reward ${number(mean(present(group.rows.map(({ reward }) => reward))))}`,
    `${group.rows.length} responses`,
    ...(group.golds.length > 0 ? [`expected ${group.golds.join(" | ")}`] : []),
  ];
  return (
    <details class="group" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span class="quiet">{facts.join(" · ")}</span>
        <span class="prompt">{group.prompt}</span>
      </summary>
      {isOpen && (
        <div class="rows">
          {[...group.rows].sort(byKey(rowKey)).map((row) => (
            <Row
              key={row.row}
              row={row}
              tokens={tokens.get(row.row)}
              measure={measure}
              largest={largest}
              disagreement={disagree === null ? null : disagree(row)}
            />
          ))}
        </div>
      )}
    </details>
  );
}

interface SamplesProps {
  run: RunEntry;
  steps: readonly number[];
  step: number | null;
  onStep: (step: number | null) => void;
}

export function Samples({ run, steps, step, onStep }: SamplesProps) {
  const [query, setQuery] = useState("");
  const [sort, setSort] = useState<Sort>("sampled");
  const [measure, setMeasure] = useState<Measure>("advantage");
  const [pair, setPair] = useState<[string, string] | null>(null);
  const [limit, setLimit] = useState(SHOWN);
  const [isFollowing, setFollowing] = useState(false);
  // A page that changes while it is read helps nobody: the newest step stays until the reader goes on or asks to follow.
  const [pinned, setPinned] = useState(steps.at(-1) ?? null);
  const newest = isFollowing || pinned === null || !steps.includes(pinned) ? (steps.at(-1) ?? null) : pinned;
  const chosen = step !== null && steps.includes(step) ? step : newest;
  const { value, error } = useAnswer<StepSamples>(chosen === null ? null : `${run.id}/${run.generation}/${chosen}`, () =>
    ask("samples", { run: run.id, step: chosen! }),
  );
  useEffect(() => setLimit(SHOWN), [chosen, query, sort]);
  const names =
    value === null
      ? []
      : [...value.components, ...(value.groups.some(({ rows }) => rows.some((r) => r.correct !== null)) ? ["correct"] : [])];
  const judge = names.find((name) => /judge|model|critic/i.test(name)) ?? names.at(-1);
  const [a, b] = pair ?? [names.find((name) => name !== judge) ?? "", judge ?? ""];
  const disagree = useMemo(() => disagreementOf(value?.groups ?? [], a, b), [value, a, b]);
  if (chosen === null) return <Quiet>The run has no rollouts.</Quiet>;
  if (value === null) return <Quiet>{error ?? "Loading…"}</Quiet>;

  const wanted = query.toLowerCase();
  const has = (text: string) => text.toLowerCase().includes(wanted);
  const rowKey = keyOf(sort, disagree);
  const found = value.groups
    .map((group) => ({ ...group, rows: has(group.prompt) ? group.rows : group.rows.filter(({ text }) => has(text)) }))
    .filter(({ rows }) => rows.length > 0)
    .sort(byKey(sort === "sampled" ? () => 0 : groupKey(sort, rowKey)));
  const index = steps.indexOf(chosen);
  const go = (to: number) => {
    onStep(steps[Math.max(0, Math.min(steps.length - 1, to))]!);
  };
  const nameChoice = (which: 0 | 1, label: string) => (
    <Choice
      label={label}
      value={which === 0 ? a : b}
      options={names.map((name) => [name, name] as const)}
      onChange={(name) => setPair(which === 0 ? [name, b] : [a, name])}
    />
  );
  return (
    <>
      <div class="controls">
        <label class="grow">
          Step {chosen}
          <input type="range" min={0} max={steps.length - 1} value={index} onInput={(event) => go(Number(event.currentTarget.value))} />
        </label>
        <span>
          <button type="button" aria-label="Earlier step" disabled={index === 0} onClick={() => go(index - 1)}>
            ‹
          </button>{" "}
          <button type="button" aria-label="Later step" disabled={index === steps.length - 1} onClick={() => go(index + 1)}>
            ›
          </button>
        </span>
        {run.status === "running" && (
          <label>
            <input
              type="checkbox"
              checked={isFollowing}
              onChange={(event) => {
                setFollowing(event.currentTarget.checked);
                setPinned(steps.at(-1) ?? null);
                onStep(null);
              }}
            />
            follow the run
          </label>
        )}
        <label>
          Search
          <input type="search" placeholder="prompt or response" value={query} onInput={(event) => setQuery(event.currentTarget.value)} />
        </label>
        <Choice
          label="Sort"
          value={sort}
          options={names.length < 2 ? SORTS.filter(([id]) => id !== "disagreement") : SORTS}
          onChange={setSort}
        />
        {sort === "disagreement" && (
          <>
            {nameChoice(0, "between")} {nameChoice(1, "and")}
          </>
        )}
        <Choice label="Colour by" value={measure} options={MEASURES} onChange={setMeasure} />
        <span>
          <span class="scale" style={{ background: LEGENDS[measure].css }} /> <span class="quiet">{LEGENDS[measure].text}</span>
        </span>
      </div>
      <p class="quiet" role="status">
        {found.length === 0 ? "Nothing matches." : `${Math.min(limit, found.length)} of ${found.length} groups`}
      </p>
      {found.slice(0, limit).map((group, i) => (
        <Group
          key={`${value.step}/${group.group}`}
          run={run.id}
          step={value.step}
          group={group}
          measure={measure}
          rowKey={rowKey}
          disagree={sort === "disagreement" ? disagree : null}
          isFirst={i < 2}
        />
      ))}
      {found.length > limit && (
        <button type="button" onClick={() => setLimit(limit + SHOWN)}>
          Show more groups
        </button>
      )}
    </>
  );
}

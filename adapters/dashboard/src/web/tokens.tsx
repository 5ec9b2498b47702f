import { useRef, useState } from "preact/hooks";
import type { RowTokens } from "./api.js";
import { number } from "./format.js";

export const MEASURES = [
  ["gate", "gate effect"],
  ["advantage", "advantage"],
  ["ratio", "ratio"],
  ["logp", "log-prob"],
  ["none", "nothing"],
] as const;
export type Measure = (typeof MEASURES)[number][0];

/** What the colours mean, from the one end to the other. */
export const LEGENDS: Readonly<Record<Measure, { css: string; text: string }>> = {
  gate: { css: "linear-gradient(90deg, transparent, rgba(var(--negative), 0.45))", text: "full gradient … none left" },
  advantage: {
    css: "linear-gradient(90deg, rgba(var(--negative), 0.45), transparent, rgba(var(--positive), 0.45))",
    text: "pushed down … up",
  },
  ratio: {
    css: "linear-gradient(90deg, rgba(var(--negative), 0.45), transparent, rgba(var(--positive), 0.45))",
    text: "less likely than when sampled … more",
  },
  logp: { css: "linear-gradient(90deg, transparent, rgba(var(--negative), 0.45))", text: "likely … unlikely" },
  none: { css: "none", text: "" },
};

const MOST = 3000;

/** Colour of a token under a measure; `largest` is the largest advantage of the group by size. */
function shade(row: RowTokens, t: number, measure: Measure, largest: number): string {
  const tint = (side: "positive" | "negative", strength: number) => `rgba(var(--${side}), ${(0.45 * Math.min(1, strength)).toFixed(3)})`;
  const at = (values: readonly (number | null)[] | null): number | null => values?.[t] ?? null;
  if (measure === "advantage") {
    const value = at(row.advantage);
    return value === null || largest === 0 ? "" : tint(value > 0 ? "positive" : "negative", Math.abs(value) / largest);
  }
  if (measure === "ratio") {
    const value = at(row.ratio);
    return value === null || value <= 0 ? "" : tint(value > 1 ? "positive" : "negative", Math.abs(Math.log(value)) / Math.log(1.5));
  }
  if (measure === "logp") {
    const value = at(row.logp);
    return value === null ? "" : tint("negative", -value / 4);
  }
  if (measure === "gate") {
    const [value, ratio] = [at(row.gate), at(row.ratio)];
    if (value === null) return "";
    return tint("negative", 1 - Math.max(0, Math.min(1, value / (ratio ?? 1))));
  }
  return "";
}

/** Every number that is known of a token, one a line. */
function facts(row: RowTokens, t: number): string {
  const at = (values: readonly (number | null)[] | null) => values?.[t] ?? null;
  const lines = [`token ${t + 1} of ${row.ids.length}: ${JSON.stringify(row.texts[t] ?? "")} (id ${row.ids[t]})`];
  const logp = at(row.logp);
  if (logp !== null) lines.push(`log-prob ${number(logp)} nats, probability ${number(Math.exp(logp))}`);
  if (at(row.newLogp) !== null) lines.push(`after the update's steps ${number(at(row.newLogp))} nats, ratio ${number(at(row.ratio))}`);
  if (at(row.advantage) !== null) lines.push(`advantage ${number(at(row.advantage))}`);
  if (at(row.gate) !== null) lines.push(`share of the gradient that passes ${number(at(row.gate))}`);
  const rule = row.limitedBy?.[t];
  if (rule) lines.push(`limited by ${rule}`);
  for (const [name, values] of Object.entries(row.facts)) if (at(values) !== null) lines.push(`${name} ${number(at(values))}`);
  if (row.mask[t] === 0) lines.push("not sampled by the policy");
  else if (row.advantage === null) lines.push("not trained on");
  return lines.join("\n");
}

interface TokensProps {
  row: RowTokens;
  measure: Measure;
  largest: number;
}

/** The response token by token. The arrow keys walk through it. */
export function Tokens({ row, measure, largest }: TokensProps) {
  const [current, setCurrent] = useState<number | null>(null);
  const place = useRef<HTMLDivElement>(null);
  const count = Math.min(MOST, row.ids.length);
  const move = (to: number) => {
    const next = Math.max(0, Math.min(count - 1, to));
    setCurrent(next);
    place.current?.querySelectorAll<HTMLElement>(".token")[next]?.scrollIntoView({ block: "nearest" });
  };
  const keys = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: (current ?? -1) + 1, ArrowLeft: (current ?? 1) - 1, Home: 0, End: count - 1 };
    const to = steps[event.key];
    if (event.key === "Escape") setCurrent(null);
    else if (to === undefined) return;
    else move(to);
    event.preventDefault();
  };
  const tokenOf = (event: Event): number | null => {
    const index = (event.target as HTMLElement).dataset?.t;
    return index === undefined ? null : Number(index);
  };
  return (
    <>
      <div
        class="tokens"
        ref={place}
        role="group"
        tabIndex={0}
        aria-label="Response by token; arrow keys walk"
        onKeyDown={keys}
        onMouseOver={(event) => setCurrent(tokenOf(event))}
        onMouseLeave={() => setCurrent(null)}
        onClick={(event) => setCurrent(tokenOf(event))}
        onBlur={() => setCurrent(null)}
      >
        {row.ids.slice(0, count).map((id, t) => {
          const classes = ["token", row.mask[t] === 0 ? "given" : "", row.limitedBy?.[t] ? "limited" : "", t === current ? "here" : ""];
          return (
            <span key={t} data-t={t} class={classes.filter(Boolean).join(" ")} style={{ background: shade(row, t, measure, largest) }}>
              {row.texts[t] || `⟨${id}⟩`}
            </span>
          );
        })}
        {row.ids.length > count && <span class="quiet"> … {row.ids.length - count} more tokens</span>}
      </div>
      <output class="facts" aria-live="polite">
        {current === null ? "" : facts(row, current)}
      </output>
    </>
  );
}

import type { MetricsRecord, RunDetails, RunEntry, StepRelation, StepSamples } from "./api.js";
import { Chart } from "./chart.js";
import { seriesOf } from "./curves.js";
import { ask, useAnswer } from "./data.js";
import { number } from "./format.js";
import { Quiet } from "./ui.js";

interface RewardsProps {
  run: RunEntry;
  details: RunDetails;
  records: readonly MetricsRecord[];
  step: number | null;
  colours: number;
}

function Shares({ shares }: Pick<RunDetails, "shares">) {
  if (shares.length === 0) return <Quiet>Ten steps are needed to tell a trend.</Quiet>;
  const largest = Math.max(...shares.map(({ contribution }) => Math.abs(contribution)), 1e-12);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Reward components">
      <table>
        <thead>
          <tr>
            <th scope="col">component</th>
            <th scope="col">weight</th>
            <th scope="col">first fifth</th>
            <th scope="col">last fifth</th>
            <th scope="col">adds</th>
            <th scope="col">
              <span class="hidden">as a bar</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shares.map(({ name, weight, first, last, contribution }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{number(weight)}</td>
              <td>{number(first)}</td>
              <td>{number(last)}</td>
              <td>
                {contribution > 0 ? "+" : ""}
                {number(Number(contribution.toPrecision(3)))}
              </td>
              <td class="bar">
                <span
                  style={{
                    width: `${(100 * Math.abs(contribution)) / largest}%`,
                    background: `rgb(var(--${contribution > 0 ? "positive" : "negative"}))`,
                  }}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Which component drives the reward, and whether length does. */
export function Rewards({ run, details, records, step, colours }: RewardsProps) {
  const { steps, warnings, shares, events } = details;
  const chosen = step !== null && steps.includes(step) ? step : (steps.at(-1) ?? null);
  const { value: relation } = useAnswer<StepRelation[]>(
    steps.length === 0 ? null : `${run.id}/${run.generation}/${steps.length >> 2}`,
    () => ask("relation", { run: run.id }),
  );
  const { value: samples } = useAnswer<StepSamples>(chosen === null ? null : `${run.id}/${run.generation}/${chosen}`, () =>
    ask("samples", { run: run.id, step: chosen! }),
  );
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))].filter((name) => name.startsWith("reward."));
  const rows = samples?.groups.flatMap((group) => group.rows).filter(({ reward }) => reward !== null) ?? [];
  const kinds = [
    ["right", rows.filter(({ correct }) => correct === 1)],
    ["wrong", rows.filter(({ correct }) => correct === 0)],
    ["not told", rows.filter(({ correct }) => correct === null)],
  ] as const;
  const related = relation ?? [];
  const relatedX = related.map((point) => point.step);
  const componentNames = [...new Set(related.flatMap((point) => Object.keys(point.components)))];
  return (
    <>
      <section aria-labelledby="warnings">
        <h2 id="warnings">What stands out</h2>
        {warnings.length === 0 ? (
          <Quiet>Nothing that the dashboard knows to look for.</Quiet>
        ) : (
          <ul class="warnings">
            {warnings.map(({ title, detail }) => (
              <li key={title}>
                <b>{title}</b>: {detail}
              </li>
            ))}
          </ul>
        )}
      </section>
      {events.length > 0 && (
        <section aria-labelledby="events">
          <h2 id="events">What trainer and watchdogs said</h2>
          <ul class="events">
            {events.map(({ step, kind, source, message }, i) => (
              <li key={i}>
                step {step}, {source}
                {kind === "warning" ? "" : `, ${kind}`}: {message}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="shares">
        <h2 id="shares">What drives the reward</h2>
        <Shares shares={shares} />
      </section>
      <div class="charts">
        {names.length > 0 && (
          <Chart
            title="Components, weighted"
            colours={colours}
            lines={names.slice(0, 6).map((name, i) => {
              const weight = shares.find((share) => `reward.${share.name}` === name)?.weight ?? 1;
              const { x, y } = seriesOf(records, name, "step");
              return {
                label: name.slice("reward.".length),
                x,
                y: y.map((v) => (v === null ? null : v * weight)),
                colour: i,
                smoothing: 0.6,
              };
            })}
          />
        )}
        <Chart
          title="Reward and held-out accuracy"
          colours={colours}
          lines={[
            { label: "reward", ...seriesOf(records, "reward", "step"), colour: 0, smoothing: 0.6 },
            { label: "held-out accuracy", ...seriesOf(records, "eval.accuracy", "step"), colour: 1 },
          ]}
        />
        {rows.length > 0 && (
          <Chart
            title={`Length against reward, step ${chosen}`}
            xLabel="tokens"
            colours={colours}
            lines={kinds
              .map(([label, some], colour) => ({ label, colour, scatter: true, ...inOrder(some.map((row) => [row.length, row.reward!])) }))
              .filter(({ x }) => x.length > 0)}
          />
        )}
        {related.length > 1 && (
          <Chart
            title="Correlation of length with the reward and its components"
            colours={colours}
            lines={[
              { label: "reward", x: relatedX, y: related.map((point) => point.lengthReward), colour: 0 },
              ...(componentNames.length > 1
                ? componentNames.slice(0, 5).map((name, i) => ({
                    label: name,
                    x: relatedX,
                    y: related.map((point) => point.components[name] ?? null),
                    colour: i + 1,
                  }))
                : []),
            ]}
          />
        )}
      </div>
    </>
  );
}

/** Ascending as the chart needs it; responses of one length are spread around it. */
function inOrder(points: [number, number][]): { x: number[]; y: number[] } {
  const sorted = [...points].sort(([a, u], [b, v]) => a - b || u - v);
  const sizes = new Map<number, number>();
  for (const [length] of sorted) sizes.set(length, (sizes.get(length) ?? 0) + 1);
  const seen = new Map<number, number>();
  const x = sorted.map(([length]) => {
    const place = seen.get(length) ?? 0;
    seen.set(length, place + 1);
    return length + SPREAD * ((place + 0.5) / sizes.get(length)! - 0.5);
  });
  return { x, y: sorted.map(([, value]) => value) };
}

/** Tokens. */
const SPREAD = 0.7;

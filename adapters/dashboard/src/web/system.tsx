import type { MetricsRecord, RunEntry, SystemUse } from "./api.js";
import { Chart, type Line } from "./chart.js";
import { seriesOf } from "./curves.js";
import { number, percent } from "./format.js";
import { Fact } from "./ui.js";

interface SystemProps {
  run: RunEntry;
  records: readonly MetricsRecord[];
  system: readonly SystemUse[];
  colours: number;
}

const ACTIVITIES = ["secondsGenerate", "secondsReward", "secondsScore", "secondsUpdate", "secondsEvaluate"] as const;

/** Where time and memory go. */
export function System({ records, system, colours }: SystemProps) {
  const now = system.at(-1);
  const line = (name: string, label: string, colour: number): Line => ({
    label,
    ...seriesOf(records, name, "step"),
    colour,
    smoothing: 0.6,
  });
  const has = (name: string) => records.some((record) => typeof record[name] === "number");
  const x = system.map((_, i) => i - system.length + 1);
  const total = records.reduce((sum, record) => sum + (record.seconds ?? 0) + (record.secondsEvaluate ?? 0), 0);
  const cores: Line = {
    label: "cores in use",
    x: records.map((record, i) => record.step ?? i + 1),
    y: records.map(({ secondsCpu, seconds }) => (secondsCpu && seconds ? secondsCpu / seconds : null)),
    colour: 0,
    smoothing: 0.6,
  };
  return (
    <>
      {now && (
        <dl class="facts-row">
          <Fact name="processor, this machine">
            {percent(now.cpu)} of {now.cores} cores
          </Fact>
          <Fact name="memory, this machine">
            {number(Math.round(now.memoryUsed / 102.4) / 10)} of {number(Math.round(now.memoryTotal / 102.4) / 10)} GiB
          </Fact>
          <Fact name="tokens/s, newest step">{number(records.at(-1)?.tokensPerSecond ?? null)}</Fact>
          {ACTIVITIES.filter(has).map((name) => {
            const spent = records.reduce((sum, record) => sum + (record[name] ?? 0), 0);
            return (
              <Fact key={name} name={name.slice("seconds".length).toLowerCase()}>
                {number(Math.round(spent))} s, {percent(total > 0 ? spent / total : null)}
              </Fact>
            );
          })}
        </dl>
      )}
      <div class="charts">
        <Chart title="Tokens/s" colours={colours} sync="system" zeroBased lines={[line("tokensPerSecond", "tokens/s", 0)]} />
        <Chart
          title="Seconds a step by activity"
          colours={colours}
          sync="system"
          zeroBased
          lines={ACTIVITIES.filter(has).map((name, i) => line(name, name.slice("seconds".length).toLowerCase(), i))}
        />
        <Chart title="Memory of the run's process (MiB)" colours={colours} sync="system" zeroBased lines={[line("rss", "resident", 0)]} />
        {has("secondsCpu") && <Chart title="Processor cores that the run uses" colours={colours} sync="system" zeroBased lines={[cores]} />}
        <Chart
          title="This machine, while the page is open"
          xLabel="samples ago"
          colours={colours}
          zeroBased
          lines={[
            { label: "processor", x, y: system.map(({ cpu }) => cpu), colour: 0 },
            { label: "memory", x, y: system.map(({ memoryUsed, memoryTotal }) => memoryUsed / memoryTotal), colour: 1 },
          ]}
        />
      </div>
    </>
  );
}

import { useState } from "preact/hooks";
import type { RunDetails, RunEntry } from "./api.js";
import { ask, useAnswer } from "./data.js";

type Flat = ReadonlyMap<string, string>;

/** `a.b[0].c` → value, for every leaf of a JSON value. */
function flat(value: unknown, path = "", into = new Map<string, string>()): Flat {
  if (Array.isArray(value) && value.length > 0) for (const [i, item] of value.entries()) flat(item, `${path}[${i}]`, into);
  else if (typeof value === "object" && value !== null && Object.keys(value).length > 0 && !Array.isArray(value)) {
    for (const [key, item] of Object.entries(value)) flat(item, path === "" ? key : `${path}.${key}`, into);
  } else into.set(path, JSON.stringify(value));
  return into;
}

interface ConfigProps {
  runs: readonly RunEntry[];
  details: RunDetails;
}

/** What the run does; beside other runs, what differs. */
export function Config({ runs, details }: ConfigProps) {
  const [filter, setFilter] = useState("");
  const others = runs.slice(1);
  const { value } = useAnswer<RunDetails[]>(others.length === 0 ? null : others.map(({ id }) => id).join("\n"), () =>
    Promise.all(others.map(({ id }) => ask<RunDetails>("details", { run: id }))),
  );
  const tables = [flat(details.config), ...(others.length === 0 ? [] : (value ?? []).map(({ config }) => flat(config)))];
  const keys = [...new Set(tables.flatMap((table) => [...table.keys()]))];
  const wanted = filter.toLowerCase();
  const shown = keys.filter((key) => {
    if (tables.length > 1 && tables.every((table) => table.get(key) === tables[0]!.get(key))) return false;
    return `${key} ${tables.map((table) => table.get(key) ?? "").join(" ")}`.toLowerCase().includes(wanted);
  });
  return (
    <>
      {others.length === 0 && details.description.length > 0 && (
        <section aria-labelledby="what">
          <h2 id="what">What the run does</h2>
          <pre class="text" tabIndex={0}>
            {details.description.map((line) => line.replace(/^ {2}/, "")).join("\n")}
          </pre>
        </section>
      )}
      <section aria-labelledby="config">
        <h2 id="config">{others.length === 0 ? "Resolved config" : "What differs"}</h2>
        <div class="controls">
          <label>
            Search
            <input type="search" placeholder="key or value" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
          </label>
        </div>
        <div class="scroll" tabIndex={0} role="region" aria-label="Config">
          <table class="config">
            <thead>
              <tr>
                <th scope="col">key</th>
                {(others.length === 0 ? runs.slice(0, 1) : runs).map(({ id, name }) => (
                  <th key={id} scope="col">
                    {id === "." ? name : id}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((key) => (
                <tr key={key}>
                  <th scope="row">{key}</th>
                  {tables.map((table, i) => (
                    <td key={i}>{table.get(key) ?? "–"}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </>
  );
}

import {
  type ColumnReference,
  type ComponentClass,
  completeOptions,
  discover,
  type Installation,
  type InstalledComponent,
  isStandardColumn,
  loadComponent,
  metadataUnder,
  nearest,
  parseOverride,
  resolveConfig,
  type TrustRegionGate,
  UsageError,
} from "@proximal/core";

/** A gate with its options, as an algorithm or a name gives it. */
export interface OpenGate {
  /** As the user wrote it: `clip:clipHigh=0.28`. */
  label: string;
  id: string;
  description: string;
  component: ComponentClass<TrustRegionGate>;
  options: Readonly<Record<string, unknown>>;
  /** Columns that the gate reads under these options. */
  reads: readonly ColumnReference[];
}

export interface OpenGateOptions {
  /** Folder that installed packages are looked for from; the working directory by default. */
  cwd?: string;
  /** Whether a name that is both an algorithm's and a gate's stands for the algorithm's gate, with its options; true by default. */
  asAlgorithm?: boolean;
  /** What is installed, where it is known already. */
  installed?: Installation;
}

/** A config in which nothing but the gate matters. */
const REST = { model: {}, data: { train: "none.jsonl" }, rewards: [{ use: "exact-match" }] };
const BARE = { advantage: { use: "group-normalized" } };

/**
 * The gate of an algorithm, or a gate by its own name; `name:option=value,option=value` changes options. Errors: an unknown
 * name or option, an algorithm without a gate.
 */
export async function openGate(
  label: string,
  { cwd = process.cwd(), asAlgorithm = true, installed = discover([cwd]) }: OpenGateOptions = {},
): Promise<OpenGate> {
  const colon = label.indexOf(":");
  const name = colon < 0 ? label : label.slice(0, colon);
  const isAlgorithm = asAlgorithm && installed.algorithms.has(name);
  const gates = installed.componentsOf("gate").map(({ component }) => component.id);
  if (!isAlgorithm && !gates.includes(name)) {
    const names = [...new Set([...installed.algorithms.keys(), ...gates])].sort();
    const meant = nearest(name, names);
    const hint = meant === undefined ? `is its package installed? npm i @proximal/plugin-${name}` : `did you mean "${meant}"?`;
    throw new UsageError(`no installed gate or algorithm is called "${name}"`, { accepted: gates, hint });
  }
  const compose = (isAlgorithm ? installed.algorithms.get(name)?.algorithm.compose : undefined) as
    | { gate?: { use?: string }; objective?: { use?: string } }
    | undefined;
  if (isAlgorithm && compose?.gate?.use === undefined && !gates.includes(name)) {
    const objective = compose?.objective?.use;
    throw new UsageError(`the algorithm "${name}" has no gate to plot`, {
      given: objective === undefined ? undefined : `its loss is the objective "${objective}"`,
      accepted: gates,
    });
  }
  const options = changes(label, colon);
  if (compose?.gate?.use === undefined && Object.keys(options).length === 0) {
    return { label, ...(await loaded(installed.component("gate", name)!, options)) };
  }
  const named = compose?.gate?.use !== undefined ? { algorithm: name, gate: options } : { ...BARE, gate: { use: name, ...options } };
  const gate = resolveConfig({ ...REST, ...named }, { cwd }).gate!;
  return { label, ...(await loaded(gate, gate.options)) };
}

/** `a=1,b=x` behind the colon, values read as in a config. */
function changes(label: string, colon: number): Record<string, unknown> {
  if (colon < 0) return {};
  const pairs = label.slice(colon + 1).split(/,(?=[A-Za-z]\w*=)/);
  return Object.fromEntries(
    pairs.map((pair) => {
      const { path, value } = parseOverride(pair);
      return [path.join("."), value];
    }),
  );
}

async function loaded(installed: InstalledComponent, given: Readonly<Record<string, unknown>>): Promise<Omit<OpenGate, "label">> {
  const component = (await loadComponent(installed)) as ComponentClass<TrustRegionGate>;
  const options = completeOptions(component, given);
  const reads = metadataUnder(component, options).reads ?? ["logp", "oldLogp", "advantages"];
  return { id: installed.component.id, description: installed.component.description, component, options, reads };
}

/** Types of the columns that are no standard ones. */
export const ownSpecs = (reads: readonly ColumnReference[]) =>
  Object.fromEntries(
    reads.flatMap((reference) =>
      typeof reference === "string" || isStandardColumn(reference.name) || !("at" in reference)
        ? []
        : [
            [
              reference.name,
              { at: reference.at, dtype: reference.dtype, ...(reference.width === undefined ? {} : { width: reference.width }) },
            ],
          ],
    ),
  );

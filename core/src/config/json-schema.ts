/** A JSON schema as plain data. */
export type JsonSchema = { [keyword: string]: unknown };

const isObject = (value: unknown): value is JsonSchema => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A TypeBox value as a JSON schema for people and editors: objects refuse unknown keys, a key with a default is not required,
 * a union of constants is an `enum`, a tuple has `prefixItems`.
 */
export function publishedSchema(schema: object): JsonSchema {
  return publish(JSON.parse(JSON.stringify(schema))) as JsonSchema;
}

function publish(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(publish);
  if (!isObject(node)) return node;
  const { anyOf, ...rest } = node;
  if (Array.isArray(anyOf) && anyOf.every((branch) => isObject(branch) && "const" in branch)) {
    return { ...rest, enum: anyOf.map((branch: JsonSchema) => branch.const) };
  }
  // What stands under these keywords is data, not schema.
  const data = new Set(["default", "enum", "const", "examples", "required"]);
  const result: JsonSchema = Object.fromEntries(
    Object.entries(node).map(([keyword, value]) => {
      if (data.has(keyword)) return [keyword, value];
      if (keyword === "properties" || keyword === "patternProperties" || keyword === "$defs") {
        return [keyword, Object.fromEntries(Object.entries(value as JsonSchema).map(([name, inner]) => [name, publish(inner)]))];
      }
      return [keyword, publish(value)];
    }),
  );
  if (Array.isArray(result.items)) {
    // TypeBox writes tuples as older drafts do.
    const { items, additionalItems, ...tuple } = result;
    return { ...tuple, prefixItems: items, items: additionalItems ?? true };
  }
  if (result.type !== "object" || !isObject(result.properties)) return result;
  const properties = result.properties as Record<string, JsonSchema>;
  const required = ((result.required as string[] | undefined) ?? []).filter((name) => !("default" in (properties[name] ?? {})));
  delete result.required;
  if (required.length > 0) result.required = required;
  result.additionalProperties ??= false;
  return result;
}

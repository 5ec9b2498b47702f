import { gunzipSync, gzipSync } from "node:zlib";
import { parquetMetadata, parquetReadObjects, type SchemaElement } from "hyparquet";
import { ByteWriter, parquetWrite } from "hyparquet-writer";

/** Type of a column's values; a list holds any number of them in each row. */
export type ParquetType = "INT32" | "INT64" | "FLOAT" | "DOUBLE" | "BOOLEAN" | "STRING" | "JSON";

export interface ParquetColumn {
  name: string;
  type: ParquetType;
  isList?: boolean;
  /** One entry a row; null = no value. */
  values: readonly unknown[];
}

const COMPRESSED = { codec: "GZIP", compressors: { GZIP: (bytes: Uint8Array) => gzipSync(bytes) } } as const;
const DECOMPRESSORS = { GZIP: (bytes: Uint8Array) => new Uint8Array(gunzipSync(bytes)) };

function typeOf(type: ParquetType): Pick<SchemaElement, "type" | "converted_type"> {
  if (type === "STRING") return { type: "BYTE_ARRAY", converted_type: "UTF8" };
  if (type === "JSON") return { type: "BYTE_ARRAY", converted_type: "JSON" };
  return { type };
}

function schemaOf({ name, type, isList = false }: ParquetColumn): SchemaElement[] {
  if (!isList) return [{ name, ...typeOf(type), repetition_type: "OPTIONAL" }];
  return [
    { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", ...typeOf(type), repetition_type: "REQUIRED" },
  ];
}

/** A Parquet file of equally long columns. Equal columns give equal bytes. */
export function encodeParquet(columns: readonly ParquetColumn[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    ...COMPRESSED,
    statistics: false,
    createdBy: "proximal",
    rowGroupSize: Math.max(1, columns[0]?.values.length ?? 0),
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    columnData: columns.map(({ name, values }) => ({ name, data: [...values], offsetIndex: false })),
    schema: [{ name: "rollouts", num_children: columns.length }, ...columns.flatMap(schemaOf)],
  });
  return new Uint8Array(writer.getBuffer());
}

export interface ParquetContent {
  rows: Record<string, unknown>[];
  metadata: Readonly<Record<string, string>>;
}

/** What `encodeParquet` wrote, row by row; a missing value is absent. */
export async function decodeParquet(bytes: Uint8Array): Promise<ParquetContent> {
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const metadata = parquetMetadata(buffer);
  const file = { byteLength: buffer.byteLength, slice: (start: number, end?: number) => buffer.slice(start, end) };
  const rows = await parquetReadObjects({ file, metadata, compressors: DECOMPRESSORS });
  const pairs = (metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? ""] as const);
  return { rows, metadata: Object.fromEntries(pairs) };
}

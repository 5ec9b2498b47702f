import { DataError } from "../errors.js";
import { type RecordSource, RecordStore } from "./source.js";

/** Values as JSON has them: numbers for integers, texts for dates and bytes. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  return value;
}

/**
 * The rows of Parquet files one after the other, decoded row group by row group. `name` stands for them in errors. Errors:
 * `DataError` with the file that is damaged.
 */
export async function openParquet(name: string, files: readonly string[], memory: number): Promise<RecordSource> {
  // Loaded when it is needed: most runs read text.
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const store = new RecordStore(name, memory);
  let row = 0;
  for (const path of files) {
    try {
      const file = await asyncBufferFromFile(path);
      const metadata = await parquetMetadataAsync(file);
      let start = 0;
      for (const group of metadata.row_groups) {
        const end = start + Number(group.num_rows);
        for (const record of await parquetReadObjects({ file, metadata, rowStart: start, rowEnd: end, compressors })) {
          store.add({ fields: plain(record) as Record<string, unknown>, place: `row ${++row}` });
        }
        start = end;
      }
    } catch (cause) {
      throw new DataError(`the Parquet file cannot be read: ${(cause as Error).message}`, { file: path, cause });
    }
  }
  return store.source();
}

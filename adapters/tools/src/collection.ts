import { readFileSync } from "node:fs";
import { DataError } from "@proximal/core";
import MiniSearch from "minisearch";

export interface Document {
  /** Address of the document. */
  id: string;
  title: string;
  text: string;
}

/** Documents of a JSONL file, one `{ "id", "title"?, "text" }` a line. Errors: `DataError` naming the line. */
export function readDocuments(file: string): Document[] {
  const refuse = (line: number, message: string, given?: unknown): never => {
    throw new DataError(message, { file: `${file}:${line}`, given, accepted: '{ "id": …, "title": …, "text": … }' });
  };
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new DataError("the collection cannot be read", { file, given: (cause as Error).message, cause });
  }
  const documents = text.split("\n").flatMap((line, i): Document[] => {
    if (line.trim() === "") return [];
    let value: Partial<Document> = {};
    try {
      value = JSON.parse(line) as Partial<Document>;
    } catch {
      refuse(i + 1, "this line is no JSON", line.slice(0, 80));
    }
    const { id, title = id, text: body } = value;
    if (typeof id !== "string" || typeof title !== "string" || typeof body !== "string") return refuse(i + 1, "this is no document", value);
    return [{ id, title, text: body }];
  });
  const ids = new Set<string>();
  for (const { id } of documents) {
    if (ids.has(id)) throw new DataError(`two documents have the id "${id}"`, { file });
    ids.add(id);
  }
  return documents;
}

/** A full-text index (BM25+) over a text collection: titles count twice, words may be misspelt a little. */
export class Collection {
  private readonly index: MiniSearch<Document>;
  private readonly byId: ReadonlyMap<string, Document>;

  constructor(documents: readonly Document[]) {
    this.index = new MiniSearch<Document>({
      fields: ["title", "text"],
      searchOptions: { boost: { title: 2 }, fuzzy: 0.15, prefix: false },
    });
    this.index.addAll(documents);
    this.byId = new Map(documents.map((document) => [document.id, document]));
  }

  get size(): number {
    return this.byId.size;
  }

  /** The best `count` documents, best first; of equal scores the one with the smaller id first. */
  search(query: string, count: number): Document[] {
    return this.index
      .search(query)
      .sort((a, b) => b.score - a.score || (String(a.id) < String(b.id) ? -1 : 1))
      .slice(0, count)
      .map(({ id }) => this.byId.get(String(id))!);
  }

  get(id: string): Document | undefined {
    return this.byId.get(id);
  }
}

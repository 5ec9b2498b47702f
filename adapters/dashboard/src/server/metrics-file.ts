import { closeSync, openSync, readSync, statSync } from "node:fs";
import type { MetricsPage, MetricsRecord } from "../web/api.js";

/** The records of a metrics.jsonl that grows, read once each. A file that shrank or was replaced is read anew. */
export class MetricsFile {
  private records: MetricsRecord[] = [];
  private offset = 0;
  private inode = 0;
  private restarts = 0;
  private rest = Buffer.alloc(0);

  constructor(private readonly file: string) {}

  /** Everything that is there now. */
  all(): readonly MetricsRecord[] {
    this.update();
    return this.records;
  }

  get generation(): string {
    return `${this.inode}.${this.restarts}`;
  }

  /** Records from `from` on, or all when `generation` is not the present one. */
  page(from: number, generation: string): MetricsPage {
    this.update();
    const start = generation === this.generation ? Math.max(0, Math.min(from, this.records.length)) : 0;
    return { generation: this.generation, from: start, records: this.records.slice(start) };
  }

  private update(): void {
    const found = statSync(this.file, { throwIfNoEntry: false });
    const [size, inode] = [found?.size ?? 0, found?.ino ?? 0];
    if (inode !== this.inode || size < this.offset) {
      this.records = [];
      this.offset = 0;
      this.rest = Buffer.alloc(0);
      this.restarts += inode === this.inode ? 1 : 0;
      this.inode = inode;
    }
    if (size === this.offset) return;
    const lines = Buffer.concat([this.rest, this.read(size - this.offset)]);
    const end = lines.lastIndexOf(10) + 1;
    this.rest = lines.subarray(end);
    for (const line of lines.toString("utf8", 0, end).split("\n")) if (line !== "") this.records.push(JSON.parse(line) as MetricsRecord);
  }

  private read(bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes);
    const file = openSync(this.file, "r");
    try {
      const count = readSync(file, buffer, 0, bytes, this.offset);
      this.offset += count;
      return buffer.subarray(0, count);
    } finally {
      closeSync(file);
    }
  }
}

import { openSync, readSync } from "node:fs";
import { type LineIndex, lineSource, type RecordSource } from "./source.js";

const CHUNK = 1 << 20;
const NEWLINE = 10;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Numbers that grow without a list of objects. */
class Growing {
  private values = new Float64Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(2 * this.length);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length++] = value;
  }

  done(): Float64Array {
    return this.values.slice(0, this.length);
  }
}

/** Finds the lines of a file that are not blank, in one pass that holds one block of it. */
function indexLines(descriptor: number): LineIndex {
  const [bounds, numbers] = [new Growing(), new Growing()];
  const block = Buffer.allocUnsafe(CHUNK);
  let [position, start, line, isBlank] = [0, 0, 1, true];
  const end = (at: number) => {
    if (!isBlank) {
      bounds.push(start);
      bounds.push(at);
      numbers.push(line);
    }
    [start, line, isBlank] = [at + 1, line + 1, true];
  };
  for (let count = readSync(descriptor, block, 0, CHUNK, 0); count > 0; count = readSync(descriptor, block, 0, CHUNK, position)) {
    let i = 0;
    if (position === 0 && BYTE_ORDER_MARK.every((byte, at) => block[at] === byte)) start = i = BYTE_ORDER_MARK.length;
    for (; i < count; i++) {
      const byte = block[i]!;
      if (byte === NEWLINE) end(position + i);
      // Space, tab, carriage return.
      else if (byte !== 32 && byte !== 9 && byte !== 13) {
        isBlank = false;
        const next = block.subarray(0, count).indexOf(NEWLINE, i);
        i = (next < 0 ? count : next) - 1;
      }
    }
    position += count;
  }
  end(position);
  const places = numbers.done();
  return { bounds: bounds.done(), place: (index) => `line ${places[index]}` };
}

/** A JSON Lines file: blank lines are skipped, 24 bytes a record are held in memory. */
export function openJsonLines(file: string): RecordSource {
  const descriptor = openSync(file, "r");
  return lineSource(file, descriptor, indexLines(descriptor));
}

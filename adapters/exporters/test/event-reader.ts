import { readFileSync } from "node:fs";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect } from "chai";
import { crc32c, masked } from "../src/event-file.js";

export interface Event {
  wallTime: number;
  step: number;
  version?: string;
  scalars: Record<string, number>;
  texts: string[];
  restart: boolean;
}

/** Calls `field` for every field of a message. */
function fields(bytes: Uint8Array, field: (number: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (!field(number, reader)) reader.skip(wire);
  }
}

function readEvent(bytes: Uint8Array): Event {
  const event: Event = { wallTime: 0, step: 0, scalars: {}, texts: [], restart: false };
  fields(bytes, (number, reader) => {
    if (number === 1) event.wallTime = reader.double();
    else if (number === 2) event.step = Number(reader.int64());
    else if (number === 3) event.version = reader.string();
    else if (number === 7) {
      fields(reader.bytes(), (_, log) => {
        event.restart = log.int32() === 1;
        return true;
      });
    } else if (number === 5) {
      fields(reader.bytes(), (_, summary) => {
        let [tag, value] = ["", undefined as number | undefined];
        fields(summary.bytes(), (part, inner) => {
          if (part === 1) tag = inner.string();
          else if (part === 2) value = inner.float();
          else return false;
          return true;
        });
        if (value === undefined) event.texts.push(tag);
        else event.scalars[tag] = value;
        return true;
      });
    } else return false;
    return true;
  });
  return event;
}

/** All events of a file; both checksums of every record are checked. */
export function readEvents(file: string): Event[] {
  const bytes = readFileSync(file);
  const events: Event[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).to.equal(masked(crc32c(bytes.subarray(at, at + 8))));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).to.equal(masked(crc32c(data)));
    events.push(readEvent(data));
    at += length + 16;
  }
  return events;
}

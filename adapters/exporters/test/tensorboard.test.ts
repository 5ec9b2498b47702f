import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { instantiate } from "@proximal/core";
import { expect } from "chai";
import { crc32c, masked, tfRecord } from "../src/event-file.js";
import { TensorBoardExporter } from "../src/index.js";
import { recordOf, runIn, temporaryFolder, timeOf } from "./fixture.js";

interface Event {
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
function readEvents(file: string): Event[] {
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

describe("the TensorBoard exporter", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const files = () => readdirSync(join(root, "exports")).sort();

  // RFC 3720, appendix B.4, and the common check value.
  const checksums: [what: string, bytes: Uint8Array, crc: number][] = [
    ["123456789", Buffer.from("123456789"), 0xe3069283],
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 times 0xff", new Uint8Array(32).fill(255), 0x62a8ab43],
    ["nothing", new Uint8Array(), 0],
  ];
  for (const [what, bytes, crc] of checksums) it(`knows the CRC-32C of ${what}`, () => expect(crc32c(bytes)).to.equal(crc));

  it("frames a record as TensorFlow does", () => {
    // The first record of any event file, without its time: length 24 and its masked checksum.
    const record = Buffer.from(tfRecord(new Uint8Array(24)));
    expect(record.subarray(0, 12).toString("hex")).to.equal("1800000000000000a37f4b22");
  });

  it("writes every metric of every step as a scalar with its time, and the config as a text", () => {
    const board = instantiate(TensorBoardExporter);
    board.open(runIn(root));
    board.write([recordOf(1), recordOf(2, { "eval.pass@1": 0.5, loss: -1e-3 })]);
    board.close();
    const [name] = files();
    expect(name).to.match(/^events\.out\.tfevents\.\d{10}\./);
    const [version, config, first, second] = readEvents(join(root, "exports", name!));
    expect(version!.version).to.equal("brain.Event:2");
    expect(config!.texts).to.deep.equal(["config"]);
    expect(first).to.deep.include({ step: 1, wallTime: timeOf(1) / 1000, scalars: { reward: 0.125 } });
    expect(second!.step).to.equal(2);
    expect(second!.scalars).to.deep.equal({ reward: 0.25, "eval/pass@1": 0.5, loss: Math.fround(-1e-3) });
  });

  it("adds a file that voids what a continued run repeats, and starts over with a new run", () => {
    const first = instantiate(TensorBoardExporter);
    first.open(runIn(root));
    first.write([recordOf(1), recordOf(2)]);
    const second = instantiate(TensorBoardExporter);
    second.open(runIn(root, 1));
    second.write([recordOf(2)]);
    expect(files()).to.have.length(2);
    const [version, restart, again] = readEvents(join(root, "exports", files()[1]!));
    expect(version!.version).to.equal("brain.Event:2");
    expect(restart).to.include({ restart: true, step: 2 });
    expect(again!.step).to.equal(2);
    instantiate(TensorBoardExporter).open(runIn(root));
    expect(files()).to.have.length(1);
  });
});

import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { instantiate } from "@proximal/core";
import { expect } from "chai";
import { crc32c, tfRecord } from "../src/event-file.js";
import { TensorBoardExporter } from "../src/index.js";
import { readEvents } from "./event-reader.js";
import { recordOf, runIn, temporaryFolder, timeOf } from "./fixture.js";

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

import { BinaryWriter } from "@bufbuild/protobuf/wire";

// TensorFlow's Event and TFRecord: https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto

const POLYNOMIAL = 0x82f63b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc >>> 0;
});

/** CRC-32C (Castagnoli). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** A checksum of data that may hold checksums: rotated and shifted. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Length, its checksum, data, its checksum. */
export function tfRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(data)), true);
  return record;
}

const VARINT = 0;
const BIT64 = 1;
const BYTES = 2;
const BIT32 = 5;
const SESSION_START = 1;
const DT_STRING = 7;

/** Event: wall_time 1, step 2, file_version 3, summary 5, session_log 7. */
function event(seconds: number, step: number, fill: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, BIT64).double(seconds);
  if (step !== 0) writer.tag(2, VARINT).int64(step);
  fill(writer);
  return writer.finish();
}

/** The first event of every file. */
export const versionEvent = (seconds: number): Uint8Array => event(seconds, 0, (writer) => writer.tag(3, BYTES).string("brain.Event:2"));

/** What earlier files of the folder hold of this step and later ones is void. */
export const restartEvent = (seconds: number, step: number): Uint8Array =>
  event(seconds, step, (writer) => writer.tag(7, BYTES).fork().tag(1, VARINT).int32(SESSION_START).join());

/** Summary: value 1 { tag 1, simple_value 2 }, a float32: what is beyond its range is infinite. */
export const scalarsEvent = (seconds: number, step: number, scalars: Iterable<readonly [tag: string, value: number]>): Uint8Array =>
  event(seconds, step, (writer) => {
    writer.tag(5, BYTES).fork();
    for (const [tag, value] of scalars)
      writer.tag(1, BYTES).fork().tag(1, BYTES).string(tag).tag(2, BIT32).float(Math.fround(value)).join();
    writer.join();
  });

/** A text for the text view: value { tag 1, tensor 8 { dtype 1, shape 2, string_val 8 }, metadata 9 { plugin_data 1 { plugin_name 1 } } }. */
export const textEvent = (seconds: number, tag: string, text: string): Uint8Array =>
  event(seconds, 0, (writer) => {
    writer.tag(5, BYTES).fork().tag(1, BYTES).fork().tag(1, BYTES).string(tag);
    writer.tag(8, BYTES).fork().tag(1, VARINT).int32(DT_STRING).tag(2, BYTES).fork().join().tag(8, BYTES).string(text).join();
    writer.tag(9, BYTES).fork().tag(1, BYTES).fork().tag(1, BYTES).string("text").join().join();
    writer.join().join();
  });

import { statSync } from "node:fs";
import { GGMLQuantizationType, type GGUFParseOutput, gguf } from "@huggingface/gguf";
import { CheckpointError, elementCount } from "@proximal/core";
import { GGUF_TYPES, isGgufType, type StoredTensor, storedBytes } from "./tensors.js";

/** What stands in front of a GGUF file's tensors. */
export interface GgufHeader {
  path: string;
  metadata: Readonly<Record<string, unknown>>;
  tensors: ReadonlyMap<string, StoredTensor>;
}

const parse = async (path: string): Promise<GGUFParseOutput<{ strict: false }>> => {
  try {
    return await gguf(path, { allowLocalFile: true });
  } catch (cause) {
    throw new CheckpointError(`cannot be read as GGUF: ${(cause as Error).message}`, {
      file: path,
      cause,
      hint: "the file may be damaged or cut off; download it again",
    });
  }
};

/** Reads metadata and the list of tensors. `CheckpointError` when the file is cut off, in parts, or holds what cannot be read. */
export async function readHeader(path: string): Promise<GgufHeader> {
  const { metadata, tensorInfos, tensorDataOffset, littleEndian } = await parse(path);
  const fail = (message: string, details = {}) => new CheckpointError(message, { file: path, ...details });
  if (!littleEndian) throw fail("stores big-endian numbers", { accepted: "little-endian files" });
  if (Number(metadata["split.count"] ?? 1) > 1) {
    throw fail(`is one of ${metadata["split.count"]} parts`, { hint: "join them with llama.cpp's `llama-gguf-split --merge`" });
  }
  const tensors = tensorInfos.map(({ name, shape, dtype, offset }): StoredTensor => {
    const type = GGMLQuantizationType[dtype] as string | undefined;
    if (!isGgufType(type)) {
      throw fail(`tensor ${name}: unsupported quantisation`, {
        given: type ?? `type ${dtype}`,
        accepted: GGUF_TYPES,
        hint: "take a file in one of these formats, e.g. Q8_0",
      });
    }
    return { name, type, shape: shape.map(Number).reverse(), offset: Number(tensorDataOffset + offset) };
  });
  const total = statSync(path).size;
  for (const { name, type, shape, offset } of tensors) {
    const needed = offset + storedBytes(type, elementCount(shape));
    if (needed > total) {
      throw fail(`truncated: ${total} bytes, and tensor ${name} would end at ${needed}`, { hint: "download the file again" });
    }
  }
  return { path, metadata, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
}

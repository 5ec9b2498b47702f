import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { GGMLQuantizationType, type GGUFParseOutput, gguf, parseGgufShardFilename } from "@huggingface/gguf";
import { CheckpointError, elementCount } from "@proximal/core";
import { GGUF_TYPES, isGgufType, type StoredTensor, storedBytes } from "./tensors.js";

/** What stands in front of a GGUF file's tensors; of a model in parts, the first part's metadata and the tensors of all. */
export interface GgufHeader {
  /** The file that was named. */
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

/**
 * Reads metadata and the list of tensors: of a file, or of all parts when it is one of several. `CheckpointError` when a
 * part is missing or of another model, a file is cut off, or it holds what cannot be read.
 */
export async function readHeader(path: string): Promise<GgufHeader> {
  const paths = partsOf(path);
  const missing = paths.filter((part) => !existsSync(part));
  if (missing.length > 0) {
    throw new CheckpointError(`${missing.length} of the model's ${paths.length} parts are missing`, {
      file: missing[0],
      hint: `download ${missing.map((part) => basename(part)).join(", ")}`,
    });
  }
  const tensors = new Map<string, StoredTensor>();
  let metadata: GgufHeader["metadata"] = {};
  for (const [i, part] of paths.entries()) {
    const parsed = await parse(part);
    if (i === 0) metadata = parsed.metadata;
    checkPart(parsed.metadata, i, paths);
    for (const tensor of tensorsOf(part, parsed)) tensors.set(tensor.name, tensor);
  }
  const expected = metadata["split.tensors.count"];
  if (expected !== undefined && Number(expected) !== tensors.size) {
    throw new CheckpointError(`the parts hold ${tensors.size} tensors, and the first says ${Number(expected)}`, {
      file: paths[0],
      hint: "are all parts of the same model? Download them again",
    });
  }
  return { path, metadata, tensors };
}

/** All files of the model, first part first: llama.cpp calls them NAME-00001-of-00003.gguf, and so on. */
function partsOf(path: string): string[] {
  const part = parseGgufShardFilename(basename(path));
  if (part === null) return [path];
  const { prefix, total } = part;
  return Array.from({ length: Number(total) }, (_, i) =>
    join(dirname(path), `${prefix}-${String(i + 1).padStart(5, "0")}-of-${total}.gguf`),
  );
}

function checkPart(metadata: GgufHeader["metadata"], index: number, paths: readonly string[]): void {
  const [count, number] = [Number(metadata["split.count"] ?? 1), Number(metadata["split.no"] ?? 0)];
  if (count === paths.length && number === index) return;
  throw new CheckpointError(count === 1 ? "is a whole model, not one of several parts" : `is part ${number + 1} of ${count}`, {
    file: paths[index],
    hint:
      paths.length === 1
        ? `give the parts the names that they had, NAME-00001-of-${String(count).padStart(5, "0")}.gguf and so on, in one folder`
        : "its name says otherwise: download it again",
  });
}

function tensorsOf(path: string, { tensorInfos, tensorDataOffset, littleEndian }: GGUFParseOutput<{ strict: false }>): StoredTensor[] {
  const fail = (message: string, details = {}) => new CheckpointError(message, { file: path, ...details });
  if (!littleEndian) throw fail("stores big-endian numbers", { accepted: "little-endian files" });
  const tensors = tensorInfos.map(({ name, shape, dtype, offset }): StoredTensor => {
    const type = GGMLQuantizationType[dtype] as string | undefined;
    if (!isGgufType(type)) {
      throw fail(`tensor ${name}: unsupported quantisation`, {
        given: type ?? `type ${dtype}`,
        accepted: GGUF_TYPES,
        hint: "take a file of the model in one of these types: the letters at the end of its name say it, e.g. Q8_0, Q4_K_M, IQ4_XS",
      });
    }
    return { file: path, name, type, shape: shape.map(Number).reverse(), offset: Number(tensorDataOffset + offset) };
  });
  const total = statSync(path).size;
  for (const { name, type, shape, offset } of tensors) {
    const needed = offset + storedBytes(type, elementCount(shape));
    if (needed > total) {
      throw fail(`truncated: ${total} bytes, and tensor ${name} would end at ${needed}`, { hint: "download the file again" });
    }
  }
  return tensors;
}

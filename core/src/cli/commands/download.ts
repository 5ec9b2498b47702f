import logUpdate from "log-update";
import { optionalPackage } from "../optional.js";

export interface DownloadFlags {
  out?: string;
  revision?: string;
  file: readonly string[];
}

interface Progress {
  file: string;
  totalReceived: number;
  totalSize: number;
}

interface Hub {
  downloadModel(
    id: string,
    options: { out?: string; revision?: string; files: readonly string[]; onProgress(progress: Progress): void },
  ): Promise<{ folder: string; files: string[]; received: number }>;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** `proximal download`: a model from the Hub into a folder, with what a config says to use it. */
export async function downloadCommand(id: string, { out, revision, file }: DownloadFlags): Promise<void> {
  const { downloadModel } = await optionalPackage<Hub>("@proximal/hub", "proximal download");
  const isLive = process.stdout.isTTY === true;
  let current = "";
  const onProgress = ({ file: name, totalReceived, totalSize }: Progress): void => {
    const text = `${megabytes(totalReceived)} of ${megabytes(totalSize)}  ${name}`;
    if (isLive) logUpdate(text);
    else if (name !== current) console.log(text);
    current = name;
  };
  const { folder, files, received } = await downloadModel(id, { out, revision, files: file, onProgress });
  if (isLive) logUpdate.clear();
  const gguf = files.find((name) => name.endsWith(".gguf"));
  console.log(`${files.length} files in ${folder}, ${megabytes(received)} received`);
  console.log(`model: { checkpoint: ${gguf === undefined ? folder : `${folder}/${gguf}`} }`);
}

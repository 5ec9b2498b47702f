import logUpdate from "log-update";
import { duration } from "../../report/duration.js";
import { optionalPackage } from "../optional.js";

export interface DownloadFlags {
  out?: string;
  revision?: string;
  file: readonly string[];
}

interface Progress {
  file: string;
  /** Of the file. */
  received: number;
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

/** Speed of what came over the network, and the time that the rest takes. */
class Speed {
  private readonly started = performance.now();
  private received = 0;
  private last: Progress | undefined;

  /** In words, once there is a second to judge by. */
  after(progress: Progress): string {
    if (this.last?.file === progress.file) this.received += progress.received - this.last.received;
    this.last = progress;
    const seconds = (performance.now() - this.started) / 1000;
    if (seconds < 1 || this.received === 0) return "";
    const rate = this.received / seconds;
    return `  ${megabytes(rate)}/s, ${duration((progress.totalSize - progress.totalReceived) / rate)} left`;
  }
}

/** `proximal download`: a model from the Hub into a folder, with what a config says to use it. */
export async function downloadCommand(id: string, { out, revision, file }: DownloadFlags): Promise<void> {
  const { downloadModel } = await optionalPackage<Hub>("@proximal/hub", "proximal download");
  const isLive = process.stdout.isTTY === true;
  let current = "";
  const speed = new Speed();
  const onProgress = (progress: Progress): void => {
    const { file: name, totalReceived, totalSize } = progress;
    const text = `${megabytes(totalReceived)} of ${megabytes(totalSize)}  ${name}${speed.after(progress)}`;
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

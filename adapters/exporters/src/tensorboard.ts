import { appendFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExportedRecord, type ExportedRun, type Exporter, exporter, makeFolder, options, type Static, Type } from "@proximal/core";
import { restartEvent, scalarsEvent, textEvent, tfRecord, versionEvent } from "./event-file.js";

export const tensorboardOptions = Type.Object({
  folder: Type.Optional(
    Type.String({
      format: "path",
      minLength: 1,
      description: "Folder for the event files; exports/tensorboard in the run folder when left out",
    }),
  ),
});

const EVENTS = /^events\.out\.tfevents\.\d+\.proximal(\.\d+)?$/;

/** `reward.format` → `reward/format`: TensorBoard groups charts by what stands before the slash. */
const tagOf = (name: string): string => name.replace(".", "/");

/** Event files for TensorBoard: a scalar a metric, the config as a text. A run that goes on adds a file that voids repeated steps. */
@exporter({ id: "tensorboard", description: "Event files for TensorBoard", options: tensorboardOptions })
export class TensorBoardExporter implements Exporter {
  private file = "";

  constructor(@options() private readonly o: Static<typeof tensorboardOptions>) {}

  open({ folder, from, config }: ExportedRun): void {
    const place = this.o.folder ?? folder;
    makeFolder(place);
    const present = readdirSync(place).filter((name) => EVENTS.test(name));
    if (from === 0) for (const name of present) rmSync(join(place, name));
    const seconds = Date.now() / 1000;
    // TensorBoard reads the files of a folder in the order of their names.
    const number = from === 0 ? 0 : present.length;
    this.file = join(place, `events.out.tfevents.${Math.floor(seconds)}.proximal.${number}`);
    const first =
      from === 0 ? textEvent(seconds, "config", `\`\`\`json\n${JSON.stringify(config, null, 2)}\n\`\`\``) : restartEvent(seconds, from + 1);
    writeFileSync(this.file, Buffer.concat([tfRecord(versionEvent(seconds)), tfRecord(first)]));
  }

  write(records: readonly ExportedRecord[]): void {
    const parts = records.map(({ step, time, values }) => {
      const scalars = Object.entries(values).flatMap(([name, value]) =>
        name === "step" || value === null ? [] : [[tagOf(name), value] as const],
      );
      return tfRecord(scalarsEvent(time / 1000, step, scalars));
    });
    appendFileSync(this.file, Buffer.concat(parts));
  }

  close(): void {}
}

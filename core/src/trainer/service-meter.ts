import type { Metrics } from "../extension/index.js";
import type { RunComponents } from "./composition.js";
import type { HostServices } from "./services.js";

/** The judge and the embedding of a run, with counts of what they were asked and what failed. */
export class ServiceMeter {
  readonly services: HostServices;
  private readonly counts: Record<string, number> = {};

  /** What is given in code goes before what the config names. */
  constructor({ judge, embed }: Pick<RunComponents, "judge" | "embed">, given: HostServices) {
    const grade = given.judge ?? judge?.component.grade.bind(judge.component);
    const vectors = given.embed ?? embed?.component.embed.bind(embed.component);
    this.services = {
      ...(given.functions === undefined ? {} : { functions: given.functions }),
      ...(grade === undefined
        ? {}
        : {
            judge: async (requests) => {
              const grades = await grade(requests);
              this.add("judge.requests", requests.length);
              this.add("judge.failed", grades.filter((value) => value === null).length);
              return grades;
            },
          }),
      ...(vectors === undefined
        ? {}
        : {
            embed: async (texts) => {
              this.add("embed.texts", texts.length);
              return vectors(texts);
            },
          }),
    };
  }

  private add(name: string, count: number): void {
    this.counts[name] = (this.counts[name] ?? 0) + count;
  }

  /** The counts since the last call. */
  take(): Metrics {
    const taken = { ...this.counts };
    for (const name of Object.keys(taken)) this.counts[name] = 0;
    return taken;
  }
}

import type { ServerResponse } from "node:http";
import { cpus, freemem, totalmem } from "node:os";
import type { RunEntry, SystemUse, Tick } from "../web/api.js";

const INTERVAL = 1000;
/** A message at least so often: connections that say nothing are closed on the way. */
const HEARTBEAT = 10;
const MIB = 2 ** 20;

/** Processor time of all cores since the machine started, milliseconds. */
function processorTimes(): { busy: number; all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
}

/** Tells all open pages what changed: looks once a second, and only while a page is open. */
export class EventStream {
  private readonly clients = new Set<ServerResponse>();
  private timer: NodeJS.Timeout | undefined;
  private before = processorTimes();
  private last = "";
  private quiet = 0;

  constructor(private readonly entries: () => RunEntry[]) {}

  add(response: ServerResponse): void {
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    this.clients.add(response);
    response.on("close", () => this.remove(response));
    response.write(this.message(this.tick()));
    this.timer ??= setInterval(() => this.send(), INTERVAL);
  }

  close(): void {
    clearInterval(this.timer);
    for (const client of this.clients) client.end();
  }

  private remove(response: ServerResponse): void {
    this.clients.delete(response);
    if (this.clients.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private send(): void {
    const tick = this.tick();
    const runs = JSON.stringify(tick.runs);
    this.quiet = runs === this.last ? this.quiet + 1 : 0;
    if (this.quiet > 0 && this.quiet % HEARTBEAT !== 0) return;
    this.last = runs;
    const message = this.message(tick);
    for (const client of this.clients) client.write(message);
  }

  private message(tick: Tick): string {
    return `data: ${JSON.stringify(tick)}\n\n`;
  }

  private tick(): Tick {
    return { runs: this.entries(), system: this.system() };
  }

  private system(): SystemUse {
    const now = processorTimes();
    const { busy, all } = this.before;
    this.before = now;
    return {
      cpu: now.all > all ? (now.busy - busy) / (now.all - all) : 0,
      cores: cpus().length,
      memoryUsed: Math.round((totalmem() - freemem()) / MIB),
      memoryTotal: Math.round(totalmem() / MIB),
    };
  }
}

/** Wall-clock seconds by activity. */
export class Stopwatch {
  private readonly spent = new Map<string, number>();
  private readonly start = performance.now();
  private readonly before = process.cpuUsage();

  /** Runs `work` and counts its time under `name`. */
  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.spent.set(name, this.seconds(name) + (performance.now() - start) / 1000);
    }
  }

  seconds(name: string): number {
    return this.spent.get(name) ?? 0;
  }

  get total(): number {
    return (performance.now() - this.start) / 1000;
  }

  /** Processor seconds of the whole process, over all its threads. */
  get processor(): number {
    const { user, system } = process.cpuUsage(this.before);
    return (user + system) / 1e6;
  }
}

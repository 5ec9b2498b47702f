const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** Exit status of a process that a signal ended: 128 + the signal's number. */
const STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

/** The first SIGINT or SIGTERM asks for a stop after the current step; the second ends the process at once. */
export function stopOnSignals(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    const status = STATUS[name as keyof typeof STATUS];
    if (controller.signal.aborted) process.exit(status);
    console.error("\nstopping after this step; press Ctrl-C again to stop at once (what follows the last checkpoint is then lost)");
    process.exitCode = status;
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}

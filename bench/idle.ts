import { cpuMs, type Running, startGateway, startWorker } from "./processes";

/** Wait after the start, so that start-up work is not measured. */
const SETTLE_MS = 10_000;
const SPAN_MS = 60_000;

/** CPU use of an idle gateway and an idle worker, in percent of a core. */
export const idle = async () => {
  const gateway = await startGateway(16);
  const worker = await startWorker(gateway);
  try {
    await Bun.sleep(SETTLE_MS);
    const percentOf = async ({ pid }: Running): Promise<number> => {
      const before = cpuMs(pid);
      await Bun.sleep(SPAN_MS);
      return Number((((cpuMs(pid) - before) / SPAN_MS) * 100).toFixed(3));
    };
    const [gatewayPercent, workerPercent] = await Promise.all([percentOf(gateway), percentOf(worker)]);
    return { gatewayPercent, workerPercent };
  } finally {
    await worker.stop();
    await gateway.stop();
  }
};

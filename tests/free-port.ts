import { probePort } from "../gateway/cli/start/ports";

/** Returns a free port on 127.0.0.1. */
export const freePort = async (): Promise<number> => {
  const port = await probePort("127.0.0.1", 0);
  if (port === undefined) throw new Error("This machine has no free port.");
  return port;
};

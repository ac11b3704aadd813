/** The URL of a server on this machine that listens on `host`; loopback if `host` means all addresses. */
export const localUrl = (scheme: "http" | "https", host: string, port: number): string => {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme}://${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
};

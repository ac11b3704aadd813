/** Where a process of this machine reaches what listens on `host`: one that means every address is reached on loopback. */
export const localUrl = (scheme: "http" | "https", host: string, port: number): string => {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme}://${reached.includes(":") ? `[${reached}]` : reached}:${port}`;
};

/** Types of the autocannon API that the scenarios use; the package contains none. */
declare module "autocannon" {
  interface Options {
    url: string;
    method: "GET" | "POST";
    headers: Record<string, string>;
    body: string;
    amount: number;
    connections: number;
  }
  interface Result {
    "2xx": number;
    non2xx: number;
    errors: number;
  }
  interface Run extends Promise<Result> {
    on(event: "response", listener: () => void): this;
  }
  export default function autocannon(options: Options): Run;
}

import { AppError } from "../../lib/errors";
import { patternInWords } from "../validation/patterns";
import type { ModelDependentFields } from "./capabilities";
import { IMAGE_ADDRESS } from "./message";

/** An image inside the request. */
const DATA_URL = /^data:image\/(?:png|jpeg|webp|gif);base64,/;
/**
 * A web address whose host every parser reads the same way: a plain name, an optional port, then a slash or the end.
 * The rest is printable ASCII without backslashes.
 */
const WEB_ADDRESS = /^https?:\/\/[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:\/[!-[\]-~]*)?$/;

export interface ImageRules {
  /**
   * Whether the model's server will fetch images for this request, which may be invalid. Throws invalid_request for an
   * image that is neither a data URL nor on an allowed host.
   */
  check(body: ModelDependentFields): boolean;
}

interface Part {
  type?: unknown;
  image_url?: { url?: unknown } | null;
}

/**
 * Creates the rules for images in requests. Data URLs are allowed, and addresses on these hosts: for example
 * images.example.com, minio:9000, or *.example.com for every subdomain. The gateway itself never fetches images.
 */
export const createImageRules = (hosts: readonly string[]): ImageRules => {
  const exact = new Set(hosts.filter((host) => !host.startsWith("*")));
  const suffixes = hosts.filter((host) => host.startsWith("*")).map((host) => host.slice(1));
  const isAllowed = (host: string): boolean =>
    exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix) && host.length > suffix.length);

  /** Why an image address is refused, worded as the end of a sentence; undefined if the model's server may fetch it. */
  const problemOf = (url: string): string | undefined => {
    if (hosts.length === 0) {
      return " must be a data URL of a PNG, JPEG, WebP or GIF image, such as data:image/png;base64,…. Images are only fetched from hosts that the operator allows with GROUNDWIRE_IMAGE_HOSTS.";
    }
    if (!/^https?:/.test(url)) return ` must ${patternInWords({ pattern: IMAGE_ADDRESS })}.`;
    // The parser converts to lower case, drops the scheme's default port, and turns numbers into IP addresses.
    const host = WEB_ADDRESS.test(url) ? URL.parse(url)?.host : undefined;
    if (host === undefined) {
      return " must be a plain ASCII address, such as https://images.example.com/a.png, with a slash after the host and no user name, IPv6 address, spaces or backslashes.";
    }
    return isAllowed(host)
      ? undefined
      : ` is on ${host}, which is not an allowed host. Send the image as a data URL. The operator can allow hosts with GROUNDWIRE_IMAGE_HOSTS.`;
  };

  return {
    check({ messages }) {
      if (!Array.isArray(messages)) return false;
      let isFetched = false;
      for (let messageIndex = 0; messageIndex < messages.length; messageIndex++) {
        const content: unknown = messages[messageIndex]?.content;
        if (!Array.isArray(content)) continue;
        for (const [partIndex, part] of (content as (Part | null)[]).entries()) {
          const url = part?.type === "image_url" ? part.image_url?.url : undefined;
          if (typeof url !== "string" || DATA_URL.test(url)) continue;
          const problem = problemOf(url);
          if (problem !== undefined) {
            const param = `messages.${messageIndex}.content.${partIndex}.image_url.url`;
            throw new AppError("invalid_request", param + problem, { param });
          }
          isFetched = true;
        }
      }
      return isFetched;
    },
  };
};

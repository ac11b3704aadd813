import { readFileSync } from "node:fs";
import { AppError } from "../../lib/errors";
import { readVendored, type VendoredFile } from "./vendored-files";

interface AssetSource {
  /** Our files that are served as one, in order. */
  paths?: readonly string[];
  /** Files of packages, served as one. */
  vendored?: readonly VendoredFile[];
  /** Notices and licences that must be served with them. */
  notices?: readonly VendoredFile[];
}

interface Asset {
  url: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
  gzipped?: Uint8Array<ArrayBuffer>;
}

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const asComment = (text: string): string => (text.startsWith("/*") ? `${text}\n` : `/*!\n${text.trim()}\n*/\n`);

/**
 * Files for browsers below `folder`, such as "/assets", by name. A URL contains a hash of the content, so that browsers
 * can cache the file permanently. The files are read on first use, and compressed when they are first requested.
 */
export const createAssets = <Name extends string>(folder: string, sources: Readonly<Record<Name, AssetSource>>) => {
  let loaded: Map<string, Asset> | undefined;

  const load = ([name, { paths = [], vendored = [], notices = [] }]: [string, AssetSource]): [string, Asset] => {
    const banner = notices.map((notice) => asComment(readVendored(notice))).join("");
    const texts = [...vendored.map(readVendored), ...paths.map((path) => readFileSync(path, "utf8"))];
    const bytes = new TextEncoder().encode(banner + texts.join("\n"));
    const hash = Bun.SHA256.hash(bytes, "hex").slice(0, 12);
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    return [name, { url: `${folder}/${name.replace(/\.(\w+)$/, `-${hash}.$1`)}`, type, bytes }];
  };
  const assets = (): Map<string, Asset> => {
    loaded ??= new Map(Object.entries<AssetSource>(sources).map(load));
    return loaded;
  };

  return {
    /** `/assets/app-3f9c….css` for `app.css`. */
    urlOf: (name: Name): string => assets().get(name)?.url ?? "",
    /** The file with this hashed name. Throws not_found for an old hash: the page that used it has changed, too. */
    respond(hashedName: string, request: Request): Response {
      const asset = assets()
        .values()
        .find(({ url }) => url === `${folder}/${hashedName}`);
      if (!asset) throw new AppError("not_found", `${folder}/${hashedName} was not found.`);
      const isCompressed = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
      if (isCompressed) asset.gzipped ??= Bun.gzipSync(asset.bytes, { level: 9 });
      return new Response(isCompressed ? asset.gzipped : asset.bytes, {
        headers: {
          "content-type": asset.type,
          "cache-control": "public, max-age=31536000, immutable",
          vary: "accept-encoding",
          ...(isCompressed && { "content-encoding": "gzip" }),
        },
      });
    },
  };
};

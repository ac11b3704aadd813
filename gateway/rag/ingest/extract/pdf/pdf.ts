import { getDocument, type PDFDocumentProxy } from "unpdf/pdfjs";
import { MAX_TEXT_CHARACTERS, type ReadDocument, tooLong, unreadable } from "../document";
import { assemble } from "./assemble";
import { type Body, blocksOf, type PdfBlock } from "./blocks";
import { readingOrder } from "./columns";
import { withoutRunning } from "./running";
import { rowsOf, type Segment, segmentsOf, spansByDirection, type TextItem } from "./spans";

const MAX_PAGES = 5_000;
/** Maximum text items of all pages. */
const MAX_ITEMS = 3_000_000;
/** Maximum fraction of characters without a Unicode value in a readable text. */
const MAX_UNKNOWN_SHARE = 0.3;
const NO_TITLE = /^(?:untitled.*|\(?anonymous\)?|microsoft word - .*|.*\.(?:docx?|pdf|tex|indd|qxd))$/i;

interface PdfPage {
  main: Segment[];
  /** Text in other directions. */
  turned: Segment[][];
}

/** Reads the text of a PDF in reading order. Throws invalid_request for a locked or damaged file, or one without text. */
export const readPdf = async (bytes: Uint8Array, signal?: AbortSignal): Promise<ReadDocument> => {
  const missing = new Set<string>();
  // pdf.js detaches the buffer.
  const task = getDocument({
    data: new Uint8Array(bytes),
    verbosity: 0,
    useSystemFonts: false,
    disableFontFace: true,
    stopAtErrors: false,
    BinaryDataFactory: noBinaryData((table) => missing.add(table)),
  });
  try {
    const pdf = await task.promise;
    if (pdf.numPages > MAX_PAGES)
      throw unreadable(`The PDF has more than ${MAX_PAGES} pages. Split it into several files.`);
    const pages = await readPages(pdf, signal);
    if (missing.size > 0) throw needsTables([...missing]);
    const { text, pages: offsets } = assemble(arrange(pages), pdf.numPages);
    checkText(text);
    return { title: await titleOf(pdf), text, pages: offsets };
  } catch (error) {
    throw problemOf(error, signal);
  } finally {
    await task.destroy();
  }
};

/**
 * The loader that pdf.js uses for data that a PDF refers to but doesn't contain. `onTable` gets the names of the
 * character tables (CMaps) of Chinese, Japanese and Korean fonts. Without them, pdf.js leaves out the text.
 */
const noBinaryData = (onTable: (name: string) => void) =>
  class {
    async fetch({ kind, filename }: { kind: string; filename: string }): Promise<never> {
      if (kind === "cMapUrl") onTable(filename.replace(/\.bcmap$/, ""));
      throw new Error(`${filename} is not available.`);
    }
  };

const needsTables = (names: readonly string[]) =>
  unreadable(
    `The PDF has Chinese, Japanese or Korean text in fonts that aren't embedded (${names.join(", ")}), so the text can't be read. Save it with embedded fonts, for example by printing it as a new PDF, or run OCR on it.`,
  );

const readPages = async (pdf: PDFDocumentProxy, signal?: AbortSignal): Promise<PdfPage[]> => {
  const pages: PdfPage[] = [];
  let items = 0;
  let characters = 0;
  for (let number = 1; number <= pdf.numPages; number++) {
    signal?.throwIfAborted();
    const page = await pdf.getPage(number);
    const content = await page.getTextContent();
    const texts = content.items.filter((item): item is TextItem & typeof item => "str" in item);
    items += texts.length;
    characters += texts.reduce((sum, { str }) => sum + str.length, 0);
    if (items > MAX_ITEMS || characters > MAX_TEXT_CHARACTERS) throw tooLong();
    const isMono = (font: string) => content.styles[font]?.fontFamily === "monospace";
    const groups = spansByDirection(texts, page.rotate, isMono);
    const [main = [], ...turned] = groups.map((spans) => rowsOf(spans).flatMap((row) => segmentsOf(row, number - 1)));
    pages.push({ main, turned });
    page.cleanup();
  }
  return pages;
};

const arrange = (pages: readonly PdfPage[]): PdfBlock[] => {
  const mains = withoutRunning(pages.map((page) => page.main));
  const body = bodyOf(mains);
  return pages.flatMap(({ turned }, i) => {
    const groups = [...readingOrder(mains[i] ?? []), ...turned];
    return groups.flatMap((group) => blocksOf(group, body));
  });
};

/** Shorter pieces may be cells or headings. */
const MIN_PROSE_CHARACTERS = 25;

/** The most frequent size, font and line distance, by characters. */
const bodyOf = (pages: readonly (readonly Segment[])[]): Body => {
  const sizes = new Map<number, number>();
  const fonts = new Map<string, number>();
  const leadings = new Map<number, number>();
  const add = <K>(counts: Map<K, number>, key: K, count: number) => counts.set(key, (counts.get(key) ?? 0) + count);
  const isProse = (segment: Segment) => segment.text.length >= MIN_PROSE_CHARACTERS;
  const hasProse = pages.some((segments) => segments.some(isProse));
  for (const segments of pages) {
    let above: Segment | undefined;
    const lines = hasProse ? segments.filter(isProse) : [...segments];
    for (const segment of lines.sort((a, b) => Math.round(a.x0) - Math.round(b.x0) || b.y - a.y)) {
      add(sizes, Math.round(segment.size * 2) / 2, segment.text.length);
      add(fonts, segment.font, segment.text.length);
      const distance = above && Math.abs(above.x0 - segment.x0) < 1 ? (above.y - segment.y) / segment.size : 0;
      if (distance > 0.9 && distance < 2.5) add(leadings, Math.round(distance * 20) / 20, 1);
      above = segment;
    }
  }
  const most = <K>(counts: Map<K, number>, otherwise: K): K =>
    [...counts].reduce<[K, number]>((best, each) => (each[1] > best[1] ? each : best), [otherwise, 0])[0];
  return { size: most(sizes, 10), font: most(fonts, ""), leading: most(leadings, 1.2) };
};

const checkText = (text: string): void => {
  const letters = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  const unknown = text.match(/[\ufffd\p{Co}]/gu)?.length ?? 0;
  if (unknown > (letters + unknown) * MAX_UNKNOWN_SHARE) {
    throw unreadable(
      "The text of the PDF can't be read, because its fonts don't say which letters they show. Run OCR on it first.",
    );
  }
  if (letters > 0) return;
  throw unreadable("The PDF has no text layer: its pages are scans or images. Run OCR on it, then upload the result.");
};

const titleOf = async (pdf: PDFDocumentProxy): Promise<string | null> => {
  const { info } = await pdf.getMetadata();
  const title = (info as { Title?: unknown }).Title;
  return typeof title === "string" && !NO_TITLE.test(title.trim()) ? title : null;
};

const problemOf = (error: unknown, signal?: AbortSignal): unknown => {
  if (signal?.aborted || !(error instanceof Error) || error.name === "AppError") return error;
  if (error.name === "PasswordException") {
    return unreadable("The PDF is password-protected. Remove the password, then upload it again.", error);
  }
  return unreadable(
    "The PDF is damaged or incomplete. Open it, save or print it as a new PDF, then upload that.",
    error,
  );
};

import { crc32, deflateRawSync } from "node:zlib";

interface PackedFile {
  name: string;
  /** Unpacked size in bytes. */
  size: number;
  packed: Uint8Array;
  crc?: number;
}

/** A compressed file for a ZIP archive. */
export const packed = (name: string, text: string): PackedFile => {
  const bytes = Buffer.from(text);
  return { name, size: bytes.length, packed: deflateRawSync(bytes), crc: crc32(bytes) };
};

/** A ZIP archive with these files. */
export const zipOf = (files: readonly PackedFile[]): Uint8Array => {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, size, packed, crc = 0 } of files) {
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc, 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, Buffer.from(name), packed]);
    const entry = Buffer.alloc(46);
    entry.write("PK\x01\x02", "latin1");
    entry.writeUInt16LE(20, 4);
    fields.copy(entry, 6);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
};

export interface ShownText {
  x: number;
  y: number;
  text: string;
  size?: number;
  /** Turns the text by 90 degrees to the left. */
  isTurned?: boolean;
  font?: "Helvetica" | "Helvetica-Bold" | "Courier";
}

/** A PDF with one content stream for each page. */
export const pdfOf = (pages: readonly (readonly ShownText[])[], { rotate = 0, title = "" } = {}): Uint8Array => {
  const objects: string[] = [];
  const kids = pages.map((_, i) => `${3 + i * 2} 0 R`).join(" ");
  const fonts = ["Helvetica", "Helvetica-Bold", "Courier"]
    .map((name) => `/${name} << /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`)
    .join(" ");
  objects.push("<< /Type /Catalog /Pages 2 0 R >>");
  objects.push(`<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`);
  for (const [i, texts] of pages.entries()) {
    const stream = texts.map(showText).join("\n");
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Rotate ${rotate} /Contents ${4 + i * 2} 0 R /Resources << /Font << ${fonts} >> >> >>`,
      streamOf(stream),
    );
  }
  objects.push(`<< /Title (${title}) >>`);
  return pdfFile(objects);
};

/**
 * A PDF with one text in an Adobe font that isn't embedded. `codes`: the text in the font's encoding, in hexadecimal.
 */
export const unembeddedPdf = (encoding: string, ordering: string, codes: string): Uint8Array =>
  pdfFile([
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R /F2 7 0 R >> >> >>",
    streamOf(`BT /F2 12 Tf 50 720 Td (Some English text) Tj ET BT /F1 12 Tf 50 700 Td <${codes}> Tj ET`),
    `<< /Type /Font /Subtype /Type0 /BaseFont /Unembedded /Encoding /${encoding} /DescendantFonts [6 0 R] >>`,
    `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Unembedded /CIDSystemInfo << /Registry (Adobe) /Ordering (${ordering}) /Supplement 2 >> /FontDescriptor 8 0 R >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    "<< /Type /FontDescriptor /FontName /Unembedded /Flags 6 /FontBBox [0 -200 1000 900] /Ascent 880 /Descent -120 >>",
  ]);

const streamOf = (content: string): string => `<< /Length ${content.length} >>\nstream\n${content}\nendstream`;

/** The first object is the catalog, the last one is the document information. */
const pdfFile = (objects: readonly string[]): Uint8Array => {
  let body = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const offset = body.length;
    body += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, "0")} 00000 n \n`;
  });
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join("")}`;
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info ${objects.length} 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return new Uint8Array(Buffer.from(body + table + trailer, "latin1"));
};

const showText = ({ x, y, text, size = 10, isTurned, font = "Helvetica" }: ShownText): string => {
  const escaped = text.replace(/[\\()]/g, "\\$&");
  const matrix = isTurned ? "0 1 -1 0" : "1 0 0 1";
  return `BT /${font} ${size} Tf ${matrix} ${x} ${y} Tm (${escaped}) Tj ET`;
};

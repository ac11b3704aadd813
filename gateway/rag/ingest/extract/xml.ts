import { Parser } from "htmlparser2";
import { unreadable } from "./document";

/** Word nests fewer than 100 levels. Limited because the parser searches all open elements for each closing tag. */
const MAX_NESTING = 128;

interface XmlHandlers {
  open: (name: string, attributes: Record<string, string>) => void;
  close?: (name: string) => void;
  text?: (text: string) => void;
}

/**
 * Parses XML in one pass. Doesn't expand entities that a document type declares. Throws invalid_request for too much
 * nesting.
 */
export const walkXml = (xml: string, { open, close, text }: XmlHandlers): void => {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (++depth > MAX_NESTING) {
          throw unreadable("The DOCX file is nested too deeply. Open it in Word, save it again, then upload the copy.");
        }
        open(name, attributes);
      },
      onclosetag: (name) => {
        depth--;
        close?.(name);
      },
      ontext: text,
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.write(xml);
  parser.end();
};

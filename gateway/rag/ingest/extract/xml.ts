import { Parser } from "htmlparser2";
import { unreadable } from "./document";

/** Word nests less than 100 levels. The parser searches all open elements for each closing tag. */
const MAX_NESTING = 128;

interface XmlHandlers {
  open: (name: string, attributes: Record<string, string>) => void;
  close?: (name: string) => void;
  text?: (text: string) => void;
}

/**
 * Reads an XML text in one pass. Entities of a document type are not expanded. Throws invalid_request if it is nested
 * too deeply.
 */
export const walkXml = (xml: string, { open, close, text }: XmlHandlers): void => {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag: (name, attributes) => {
        if (++depth > MAX_NESTING) {
          throw unreadable("The DOCX file is nested too deeply. Open it in Word, save it again, and upload the copy.");
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

import { answerQuestions } from "../../../../lib/worker-client";
import type { DocumentFile, ExtractedDocument } from "./document";
import { extractDocument } from "./extract";

/* Entry point of the Worker that extracts documents. */

answerQuestions<DocumentFile, ExtractedDocument>((file) => extractDocument(file));

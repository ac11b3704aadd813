import { answerQuestions } from "../../../../lib/worker-client";
import type { DocumentFile, ExtractedDocument } from "./document";
import { extractDocument } from "./extract";

/* Entry of the Worker that extracts one document. */

answerQuestions<DocumentFile, ExtractedDocument>((file) => extractDocument(file));

import { toAppError } from "../../lib/errors";
import type { Principal } from "../principal";
import type { Uploads } from "../uploads/service";
import type { NewSample } from "./contract";
import type { Imports } from "./imports";
import type { DatasetService } from "./service";

const NAME = "sample";

const LIGHTHOUSE =
  "The lighthouse of Kessel Point was lit for the first time on 4 May 1871. It stands 38 metres above the water and its light is seen from 17 nautical miles away. Since 1968 it has worked without a keeper.";
const BAKERY =
  "Harrow Street Bakery opens at 6:30 on weekdays and at 8:00 on Saturdays; it is closed on Sundays. A loaf of rye costs 4.20 euros. Bread from the day before is half the price.";
const BEES =
  "A honey bee colony in summer has up to 60,000 workers, a few hundred drones and one queen. Workers live about six weeks in summer, and several months in winter. Only workers collect nectar.";
const PUMP =
  "The pump stops by itself when the water is hotter than 90 °C. To start it again, let it cool for 20 minutes, press the red button and hold it for three seconds. Never open the cover while the lamp is on.";

const about = (group: string, context: string, questions: readonly [input: string, ...references: string[]][]) =>
  questions.map(
    ([input, ...references], index): NewSample => ({
      key: `${group}-${index + 1}`,
      input: `${context}\n\nQuestion: ${input}\nAnswer in one sentence.`,
      references,
      contexts: [context],
      group,
      tags: ["with context"],
    }),
  );

const general = (questions: readonly [key: string, input: string, ...references: string[]][]) =>
  questions.map(([key, input, ...references]): NewSample => ({ key, input, references, tags: ["general"] }));

/** Questions that a small model gets right in part, so that a first evaluation has something to tell. */
const SAMPLES: readonly NewSample[] = [
  ...general([
    ["capital-france", "What is the capital of France?", "Paris"],
    ["capital-japan", "What is the capital of Japan?", "Tokyo"],
    ["largest-planet", "Which planet of our solar system is the largest?", "Jupiter"],
    ["water-formula", "What is the chemical formula of water?", "H2O"],
    ["days-leap-year", "How many days does a leap year have?", "366", "366 days"],
    ["spider-legs", "How many legs does a spider have?", "8", "eight"],
    ["hamlet-author", "Who wrote the play Hamlet?", "William Shakespeare", "Shakespeare"],
    ["boiling-point", "At what temperature in degrees Celsius does water boil at sea level?", "100", "100 °C"],
    ["red-and-blue", "Which colour do you get when you mix red and blue paint?", "purple", "violet"],
    ["seven-times-eight", "What is seven times eight?", "56", "fifty-six"],
  ]),
  ...about("lighthouse", LIGHTHOUSE, [
    ["When was the lighthouse of Kessel Point first lit?", "4 May 1871"],
    ["From how far away is its light seen?", "17 nautical miles"],
    ["Since when has it had no keeper?", "1968", "Since 1968"],
  ]),
  ...about("bakery", BAKERY, [
    ["When does the bakery open on Saturdays?", "8:00", "At 8 o'clock"],
    ["What does a loaf of rye cost?", "4.20 euros"],
    ["On which day is it closed?", "Sunday", "On Sundays"],
  ]),
  ...about("bees", BEES, [
    ["How many queens does a colony have?", "one", "1"],
    ["How long do workers live in summer?", "about six weeks"],
    ["Which bees collect nectar?", "workers", "Only workers"],
  ]),
  ...about("pump", PUMP, [
    ["How long does the pump have to cool before it starts again?", "20 minutes"],
    ["Above which temperature does it stop by itself?", "90 °C", "90 degrees Celsius"],
  ]),
];

interface SampleDeps {
  datasets: Pick<DatasetService, "get">;
  imports: Pick<Imports, "enqueue">;
  uploads: Pick<Uploads, "receive">;
}

/** The dataset to try things with, or the import that makes it where it is not there. */
export const beginSampleDataset = async (
  { datasets, imports, uploads }: SampleDeps,
  principal: Principal,
): Promise<{ dataset: string } | { job: string }> => {
  const known = await datasets.get(NAME).catch((error) => {
    if (toAppError(error).kind === "not_found") return undefined;
    throw error;
  });
  if (known) return { dataset: known.id };
  const lines = new TextEncoder().encode(SAMPLES.map((sample) => `${JSON.stringify(sample)}\n`).join(""));
  const upload = await uploads.receive([lines], { fileName: "sample.jsonl", createdBy: principal.keyId });
  const description = "21 questions to try an evaluation with";
  const request = {
    target: { mode: "create", name: NAME, description, schema: null },
    options: { format: "jsonl", onError: "refuse", dryRun: false },
  } as const;
  return imports.enqueue(principal, upload, request);
};

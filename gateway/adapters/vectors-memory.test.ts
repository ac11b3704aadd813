import { vectorsContract } from "../ports/vectors.contract";
import { memoryVectors } from "./vectors-memory";

vectorsContract("memory", memoryVectors);

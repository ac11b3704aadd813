import { engineContract } from "../ports/engine.contract";
import { fakeEngine } from "./engine-fake";

engineContract("fake", async () => {
  const engine = fakeEngine({ beforePiece: () => new Promise((resolve) => setImmediate(resolve)) });
  return { engine, model: "fake-model", embeddingModel: "fake-embedder", close: () => engine.close(0) };
});

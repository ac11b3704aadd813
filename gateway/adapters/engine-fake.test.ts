import { fakeEngine } from "../../tests/engine-fake";
import { engineContract } from "../ports/engine.contract";

engineContract("fake", async () => {
  const engine = fakeEngine({ beforePiece: () => new Promise((resolve) => setImmediate(resolve)) });
  return { engine, model: "fake-model", embeddingModel: "fake-embedder", close: () => engine.close(0) };
});

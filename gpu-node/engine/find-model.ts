import { AppError } from "../../lib/errors";
import type { NodeModel } from "../protocol";

/** The model of that name, or the first one without a name. Throws model_not_found. */
export const findModel = (models: NodeModel[], name: string | undefined): NodeModel => {
  const model = name === undefined ? models[0] : models.find(({ id }) => id === name);
  if (model) return model;
  const kind = models[0]?.kind ?? "";
  const known = models.map(({ id }) => id).join(", ");
  throw new AppError("model_not_found", `There is no ${kind} model "${name ?? ""}" here. This node serves ${known}.`, {
    param: "model",
  });
};

import { withDependencies } from "./bootstrap";

await withDependencies("production", () => import("./start/main"));

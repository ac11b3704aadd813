import { withDependencies } from "../gateway/cli/bootstrap";

await withDependencies("all", () => import("./runner/main"));

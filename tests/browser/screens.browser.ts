import { beforeAll } from "bun:test";
import type { Page } from "playwright-core";
import { AppError, type ErrorKind } from "../../lib/errors";
import { PRINCIPAL } from "../principal";
import { type ScreenCase, testScreens } from "./matrix";
import { openPages } from "./pages";
import { MARKDOWN } from "./texts";

const pages = await openPages();
const cookies: Record<string, string> = {};

/** Signs in with a new key of that role. */
const signedIn = async (role: "viewer" | "member" | "admin" | "metrics", name: string) => {
  const { key, id } = await pages.newKey(role, name);
  const { cookie, principal } = await pages.sessions.signIn(key);
  return { cookie, principal, id };
};

beforeAll(async () => {
  for (const role of ["viewer", "member", "admin", "metrics"] as const) {
    cookies[role] = (await signedIn(role, `Ada’s ${role} key`)).cookie;
  }
});

interface Case extends ScreenCase {
  /** If omitted, not signed in. `newcomer` has no chats yet. */
  as?: "viewer" | "member" | "admin" | "metrics" | "newcomer";
}

const ask = async (page: Page, text: string) => {
  await page.getByLabel("Message").fill(text);
  await page.getByLabel("Message").press("Enter");
};

const refused =
  (kind: ErrorKind, message: string, retryAfterMs?: number) =>
  async (page: Page): Promise<void> => {
    pages.refusal.path = /^\/chat$/;
    pages.refusal.error = new AppError(kind, message, { retryAfterMs });
    await ask(page, "A question that is refused");
    await page.getByRole("alert").getByRole("heading").waitFor();
    pages.refusal.error = undefined;
  };

/** Sends a question and starts a new script, with which the test controls the answer. */
const answering =
  (goOn?: (page: Page) => unknown) =>
  async (page: Page, question = "Explain how batching works"): Promise<void> => {
    pages.chat.reset();
    await ask(page, question);
    await goOn?.(page);
  };

/** Completes an answer whose prompt has this many tokens. */
const answer = (text: string, promptTokens: number) => {
  const usage = { prompt_tokens: promptTokens, completion_tokens: 184, total_tokens: promptTokens + 184 };
  pages.chat.facts = { usage };
  pages.chat.say(text);
  pages.chat.finish();
};

/** Reloads the page; the request is rejected. */
const reloadedWith = (kind: ErrorKind, message: string) => async (page: Page) => {
  pages.refusal.path = /^\/(keys|system)/;
  pages.refusal.error = new AppError(kind, message, { retryAfterMs: kind === "rate_limited" ? 12_000 : undefined });
  await page.reload();
  pages.refusal.error = undefined;
};
const failing = reloadedWith("internal", "An internal error occurred. Include the request id when you report it.");
const limiting = reloadedWith("rate_limited", "The key “Ada’s admin key” has sent the 60 requests of this minute.");

/** Runs `work` while the only node is down. */
const withoutNode = (act: (page: Page) => Promise<unknown>) => async (page: Page) => {
  const healthy = pages.engine.view;
  pages.engine.view = healthy.map((node) => ({ ...node, state: "down", lastError: "Connection refused" }));
  await pages.health.degradations.refresh();
  await act(page);
  pages.engine.view = healthy;
  await pages.health.degradations.refresh();
};

const CASES: Case[] = [
  { name: "sign-in", path: "/sign-in", shows: "Your key" },
  {
    name: "sign-in refused",
    path: "/sign-in",
    status: 422,
    reach: async (page) => {
      await page.getByLabel("Your key").fill("gw_wrong");
      await page.getByRole("button", { name: "Sign in" }).click();
    },
    shows: "That key does not work.",
  },
  {
    name: "sign-in rate-limited",
    path: "/sign-in",
    status: 429,
    reach: async (page) => {
      const body = "key=gw_wrong";
      const headers = { origin: pages.url, "content-type": "application/x-www-form-urlencoded" };
      const guess = () => fetch(`${pages.url}/sign-in`, { method: "POST", headers, body });
      while ((await guess()).status !== 429);
      await page.getByLabel("Your key").fill("gw_wrong");
      await page.getByRole("button", { name: "Sign in" }).click();
    },
    shows: "Too many failed sign-ins.",
  },
  { name: "sign-in by link", path: "/sign-in?token=abc", shows: "This link works once" },
  { name: "unauthorized", path: "/chat", shows: "Your key" },
  { name: "forbidden", path: "/keys", as: "member", status: 403, shows: "This requires the admin role" },
  { name: "not found", path: "/nothing-here", as: "member", status: 404, shows: "Not found" },
  { name: "chat empty", path: "/chat", as: "newcomer", shows: "What would you like to know?" },
  {
    name: "chat waiting",
    path: "/chat",
    as: "member",
    reach: (page) => answering()(page),
    shows: "Waiting for smollm2-135m-instruct",
  },
  {
    name: "chat streaming",
    path: "/chat",
    as: "member",
    reach: answering(() => pages.chat.say(MARKDOWN.slice(0, 420))),
    shows: "Each request gets a",
  },
  {
    name: "chat answered",
    path: "/chat",
    as: "member",
    reach: answering(async (page) => {
      pages.chat.say(MARKDOWN);
      pages.chat.finish();
      await page.getByText("184 tokens").click();
    }),
    shows: "184 tokens",
  },
  {
    name: "chat calling a function",
    path: "/chat",
    as: "member",
    reach: answering(async (page) => {
      pages.chat.add({ reasoning: "The user asks for **weather**:\n\n1. `get_weather` has it." });
      const call = { name: "get_weather", arguments: '{"city":"Rome","days":[1,2]}' };
      pages.chat.add({ tool_calls: [{ index: 0, id: "call_1", type: "function", function: call }] });
      pages.chat.finish();
      await page.getByText("184 tokens").waitFor();
      for (const title of await page.locator(".step-title").all()) await title.click();
    }),
    shows: "Arguments",
  },
  {
    name: "chat stopped",
    path: "/chat",
    as: "member",
    reach: answering(async (page) => {
      pages.chat.say("Continuous batching keeps");
      await page.getByText("Continuous batching keeps").waitFor();
      await page.getByRole("button", { name: "Stop" }).click();
    }),
    shows: "Stopped",
  },
  {
    name: "chat failed",
    path: "/chat",
    as: "member",
    reach: answering(() => {
      pages.chat.say("Continuous batching keeps");
      pages.chat.fail(new AppError("upstream_error", "The GPU node stopped answering. Try again."));
    }),
    shows: "The GPU node stopped answering.",
  },
  {
    name: "chat rate-limited",
    path: "/chat",
    as: "member",
    status: 429,
    reach: refused("rate_limited", "60 requests a minute reached on the key “Ada’s laptop”.", 12_000),
    shows: "60 requests a minute reached",
  },
  {
    name: "chat server error",
    path: "/chat",
    as: "member",
    status: 500,
    reach: refused("internal", "An internal error occurred. Include the request id when you report it."),
    shows: "An internal error occurred",
  },
  {
    name: "chat model loading",
    path: "/chat",
    as: "member",
    status: 503,
    reach: refused("model_loading", "The model is being loaded: 62 %.", 20_000),
    shows: "62 %",
  },
  {
    name: "chat degraded",
    path: "/chat",
    as: "member",
    reach: withoutNode((page) => page.reload()),
    shows: "No GPU node is available",
  },
  {
    name: "chat too long for its context",
    path: "/chat",
    as: "member",
    reach: async (page) => {
      for (const [turn, question] of ["When does the bakery open?", "And on Sundays?"].entries()) {
        await answering(() => answer("At seven in the morning.", 3100))(page, question);
        await page.getByRole("button", { name: "Copy answer" }).nth(turn).waitFor();
      }
      await page.getByText("Nearly full").first().waitFor();
      await page.getByRole("button", { name: "Regenerate answer" }).click();
      await page.getByText("2 / 2").waitFor();
      pages.chat.reset();
      answer("At *noon*, until the bread is gone.", 3300);
      pages.chat.tokensPerMessage = 700;
      await ask(page, "And on holidays?");
      await page.getByText("no longer sees").waitFor();
      await page.getByRole("link", { name: "Give feedback" }).last().click();
      await page.getByLabel("Good").check();
      await page.getByRole("button", { name: "Save feedback" }).click();
    },
    shows: "Rated good",
  },
  {
    name: "chat with a queue",
    path: "/chat",
    as: "member",
    reach: async (page) => {
      await answering(() => pages.chat.say("Continuous batching keeps"))(page);
      await page.getByText("Continuous batching keeps").waitFor();
      await ask(page, "And what does it cost in memory, for a model of seven billion parameters?");
    },
    shows: "And what does it cost",
  },
  {
    name: "chat cut at its length limit",
    path: "/chat",
    as: "member",
    reach: answering(() => {
      pages.chat.facts = { finish_reason: "length" };
      pages.chat.say("Continuous batching keeps");
      pages.chat.finish();
    }),
    shows: "Stopped at the length limit",
  },
  {
    name: "chat edited",
    path: "/chat",
    as: "member",
    reach: async (page) => {
      await answering(() => answer("In batches.", 100))(page);
      await page.getByText("184 tokens").waitFor();
      await page.getByRole("link", { name: "Edit question" }).click();
    },
    shows: "Edit your question",
  },
  {
    name: "chat about to be deleted",
    path: "/chat",
    as: "member",
    reach: async (page) => {
      await answering(() => answer("In batches.", 100))(page);
      await page.getByText("184 tokens").waitFor();
      await page.getByTitle("Delete question").click();
      await page.getByTitle("Chat settings").click();
      await page.getByText("Delete chat…").click();
    },
    shows: "and all its messages?",
  },
  { name: "chat search", path: "/chat?search=batching", as: "member", shows: "Show all chats" },
  { name: "keys", path: "/keys", as: "admin", shows: "Create key" },
  {
    name: "keys paged",
    path: async () => {
      for (let n = 0; n < 50; n++) await pages.newKey("viewer", `Reader ${n}`);
      return "/keys?sort=name&page=2";
    },
    as: "admin",
    shows: "51 to ",
  },
  { name: "keys server error", path: "/keys", as: "admin", status: 500, reach: failing, shows: "Something went wrong" },
  { name: "keys rate-limited", path: "/keys", as: "admin", status: 429, reach: limiting, shows: "Rate limit reached" },
  {
    name: "keys degraded",
    path: "/keys",
    as: "admin",
    reach: withoutNode((page) => page.reload()),
    shows: "No GPU node is available",
  },
  { name: "key form", path: "/keys/new", as: "admin", shows: "Requests per minute" },
  {
    name: "key form refused",
    path: "/keys/new",
    as: "admin",
    status: 422,
    reach: async (page) => {
      await page.getByLabel("Requests per minute").fill("many");
      await page.getByRole("button", { name: "Create key" }).click();
    },
    shows: "There is a problem",
  },
  {
    name: "key created",
    path: "/keys/new",
    as: "admin",
    reach: async (page) => {
      await page.getByLabel("Name").fill("search service");
      await page.getByRole("button", { name: "Create key" }).click();
    },
    shows: "It is shown only once",
  },
  {
    name: "key created with an unknown model",
    path: "/keys/new",
    as: "admin",
    reach: async (page) => {
      await page.getByLabel("Name").fill("search service");
      await page.getByLabel("Models").fill("gpt-9, smollm2-135m-instruct");
      await page.getByRole("button", { name: "Create key" }).click();
    },
    shows: "A model of this key is unknown",
  },
  {
    name: "key exists already",
    path: "/keys/new",
    as: "admin",
    status: 409,
    reach: async (page) => {
      await page.getByLabel("Name").fill("search service");
      await page.getByRole("button", { name: "Create key" }).click();
      await page.locator("#secret").waitFor();
      await page.reload();
    },
    shows: "This form was already submitted",
  },
  {
    name: "key",
    path: async () => `/keys/${(await signedIn("member", "Ada’s laptop")).id}`,
    as: "admin",
    shows: "Revoke",
  },
  {
    name: "key settings",
    path: async () => `/keys/${(await signedIn("member", "Ada’s laptop")).id}/settings`,
    as: "admin",
    shows: "Save settings",
  },
  {
    name: "key limits",
    path: async () => `/keys/${(await signedIn("member", "Ada’s laptop")).id}/limits`,
    as: "admin",
    shows: "Limits for single models",
  },
  {
    name: "key limits refused",
    path: async () => `/keys/${(await signedIn("member", "Ada’s laptop")).id}/limits`,
    as: "admin",
    status: 422,
    reach: async (page) => {
      await page.getByLabel("Amount 1").fill("many");
      await page.getByRole("button", { name: "Save limits" }).click();
    },
    shows: "There is a problem",
  },
  { name: "metrics key", path: "/", as: "metrics", shows: "This key reads metrics" },
  { name: "system", path: "/system", as: "viewer", shows: "8.8 of 59.6 GiB in use" },
  {
    name: "system degraded",
    path: "/system",
    as: "viewer",
    reach: withoutNode((page) => page.reload()),
    shows: "No answers can be generated right now",
  },
  {
    name: "system drill",
    path: "/system",
    as: "admin",
    reach: async (page) => {
      await page.getByLabel("Length of the drill of cached_only").selectOption("5");
      await page.getByRole("button", { name: "Start drill of cached_only" }).click();
      await page.getByRole("button", { name: "End drill of cached_only" }).waitFor();
      await pages.health.degradations.endDrill(PRINCIPAL, "cached_only");
    },
    shows: "Drill of cached_only started.",
  },
  {
    name: "system server error",
    path: "/system",
    as: "viewer",
    status: 500,
    reach: failing,
    shows: "Something went wrong",
  },
];

testScreens(CASES, async ({ as }) => {
  const newcomer = await signedIn("member", "Ada’s laptop");
  return { url: pages.url, session: as === "newcomer" ? newcomer.cookie : as && cookies[as] };
});

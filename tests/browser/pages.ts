import { Elysia } from "elysia";
import { openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { memoryCache } from "../../gateway/adapters/cache-memory";
import type { Call } from "../../gateway/call";
import type { ChatEvent } from "../../gateway/chat/contract";
import { createConversations } from "../../gateway/conversations/service";
import { createHealth } from "../../gateway/health/service";
import { http } from "../../gateway/http/plugin";
import { KeyRuns } from "../../gateway/keys/runs";
import { createKeys, LOCAL_ACTOR } from "../../gateway/keys/service";
import { createLedger } from "../../gateway/limits/ledger";
import type { Engine, NodeView } from "../../gateway/ports/engine";
import type { Role } from "../../gateway/principal";
import { createSessions } from "../../gateway/sessions/service";
import type { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { errorPage } from "../../views/error";
import { pageRoutes } from "../../views/routes";
import { sessionCookie } from "../../views/session";

/** An answer whose pieces come when the test says so. */
export class ScriptedChat {
  #pieces: string[] = [];
  #ending: "none" | "done" | AppError = "none";
  #moved = Promise.withResolvers<void>();
  /** Questions asked so far. */
  asked = 0;

  /** Begins a new script: nothing has been said yet. */
  reset(): void {
    this.#pieces = [];
    this.#ending = "none";
  }
  say(text: string): void {
    this.#pieces.push(text);
    this.#move();
  }
  finish(): void {
    this.#ending = "done";
    this.#move();
  }
  fail(error: AppError): void {
    this.#ending = error;
    this.#move();
  }
  #move(): void {
    this.#moved.resolve();
    this.#moved = Promise.withResolvers();
  }

  async *events(call: Call): AsyncGenerator<ChatEvent, void, undefined> {
    this.asked += 1;
    const left = new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
    let said = 0;
    const start = {
      model: "smollm2-135m-instruct",
      model_revision: "b179c9523d0e",
      cache: { status: "miss" },
    } as const;
    yield { type: "start", ...start, request_id: call.requestId };
    for (;;) {
      const moved = this.#moved.promise;
      call.signal.throwIfAborted();
      const piece = this.#pieces[said];
      if (piece !== undefined) {
        said += 1;
        yield { type: "delta", text: piece, tokens: 1 };
      } else if (this.#ending === "done") {
        yield { type: "done", answer: { ...FACTS, ...start, request_id: call.requestId } };
        return;
      } else if (this.#ending !== "none") throw this.#ending;
      else await Promise.race([moved, left]);
    }
  }
}

/** Figures that stay the same in every screenshot. */
const FACTS = {
  id: "chatcmpl-1",
  finish_reason: "stop",
  usage: { prompt_tokens: 34, completion_tokens: 184, total_tokens: 218 },
  template_version: null,
  node: "node-1",
  latency: { queue: 0.4, ttft: 118, total: 5200 },
} as const;

const READY: NodeView = {
  id: "node-1",
  url: "http://127.0.0.1:8081",
  state: "ready",
  since: new Date("2026-11-23T20:15:00Z"),
  isDrained: false,
  outstanding: 1,
  latencyMs: 0.4,
  readiness: {
    state: "ready",
    engine: "llama node-llama-cpp/3.22.1",
    synthetic: false,
    version: "0.1.0",
    models: [{ id: "smollm2-135m-instruct", kind: "chat", revision: "b179c9523d0e", context_window: 4096 }],
    slots: { total: 8, running: 3 },
    queue: { depth: 0, capacity: 16 },
  },
};

/**
 * The pages on a real database, real keys and sessions; only the model and the node are played by the test.
 * `idleSeconds`: how long a connection may be silent.
 */
export const startPages = async ({ idleSeconds }: { idleSeconds?: number } = {}) => {
  const config = defaultConfig();
  const log = silentLog();
  const db = await openDb({ url: ":memory:" }, log);
  await migrate(db);
  const keys = createKeys({ db, config });
  const sessions = createSessions({ db, keys });
  const chat = new ScriptedChat();
  const model = { id: "smollm2-135m-instruct", revision: "b179c9523d0e", isKnown: true, dimensions: null };
  const models = { resolve: () => model };
  const runs = new KeyRuns();
  const conversations = createConversations({ db, chat, models, log, runs });
  const engine: Engine & { view: NodeView[] } = {
    view: [READY],
    open: async () => {},
    request: () => Promise.reject(new Error("Pages ask the chat service.")),
    nodes: () => engine.view,
    drain: () => {},
    close: async () => {},
  };
  const cache = memoryCache({ maxBytes: 1024 });
  const health = createHealth({
    engine,
    cache,
    log,
    pingDatabase: async () => db.get("SELECT 1"),
    writeDatabase: async () => {},
  });
  /** What the next requests are refused with, before anything else happens. */
  const refusal: { error?: AppError; path?: RegExp } = {};
  const ledger = createLedger();

  const app = new Elysia({ normalize: false });
  app
    .use(
      http({
        verifyKey: (authorization) => keys.verify(authorization),
        verifySession(request) {
          const cookie = sessionCookie(request);
          if (refusal.error && refusal.path?.test(new URL(request.url).pathname)) throw refusal.error;
          return cookie === undefined ? undefined : sessions.verify(cookie);
        },
        reserve: (principal) => ledger.reserve(principal),
        recorder: { request: () => {}, generation: () => {} },
        runs,
        log,
        maxBodyBytes: config.gateway.maxBodyBytes,
        degraded: () => health.degradations.header(),
        routes: () => app.routes,
        page: errorPage,
      }),
    )
    .use(pageRoutes({ config, log, conversations, engine, health, keys, sessions }))
    .listen({ hostname: "127.0.0.1", port: 0, idleTimeout: idleSeconds });

  return {
    url: `http://127.0.0.1:${app.server?.port}`,
    chat,
    conversations,
    engine,
    health,
    keys,
    refusal,
    sessions,
    /** A key of its own for each test, so that none sees another's chats. */
    newKey: async (role: Role, name = `${role} of a test`) => {
      const { key, record } = await keys.create(LOCAL_ACTOR, { name, role });
      return { key, id: record.id };
    },
    async stop() {
      await conversations.close();
      await app.stop(true);
      await sessions.close();
      await keys.close();
      await db.close();
    },
  };
};

export type Pages = Awaited<ReturnType<typeof startPages>>;

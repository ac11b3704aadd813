import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import type { Engine, EngineReply, EngineRequest } from "./engine";

interface Subject {
  engine: Engine;
  /** A model that the engine serves. */
  model: string;
  embeddingModel: string;
  /** Makes the next answers slow enough to abort midway. Absent if they already are. */
  close(): Promise<void>;
}

const collect = async (reply: EngineReply): Promise<string> => {
  let text = "";
  for await (const piece of reply.body) text += Buffer.from(piece).toString();
  return text;
};

/** What every engine adapter guarantees. */
export const engineContract = (name: string, start: () => Promise<Subject>): void => {
  describe(`engine contract: ${name}`, () => {
    let subject: Subject;
    beforeAll(async () => {
      subject = await start();
      await subject.engine.open();
    });
    afterAll(() => subject.close());

    const request = (changes: Partial<EngineRequest> = {}): EngineRequest => {
      const model = changes.model ?? subject.model;
      const stream = changes.stream ?? false;
      const messages = [{ role: "user", content: "hi" }];
      return {
        route: "/v1/chat/completions",
        model,
        body: JSON.stringify({ model, messages, stream, stream_options: stream ? { include_usage: true } : undefined }),
        stream,
        requestId: "req_test",
        fairKey: "key_test",
        priority: "interactive",
        deadlineMs: 10_000,
        signal: new AbortController().signal,
        ...changes,
      };
    };

    test("an answer that is not streamed is one JSON document with usage", async () => {
      const completion = JSON.parse(await collect(await subject.engine.request(request())));
      expect(completion.object).toBe("chat.completion");
      expect(completion.choices[0].message.content.length).toBeGreaterThan(0);
      expect(completion.usage.total_tokens).toBe(completion.usage.prompt_tokens + completion.usage.completion_tokens);
    });

    test("each piece of a stream has complete frames, and usage comes before the end marker", async () => {
      const reply = await subject.engine.request(request({ stream: true }));
      let text = "";
      for await (const piece of reply.body) {
        const frames = Buffer.from(piece).toString();
        expect(frames).toStartWith("data: ");
        expect(frames).toEndWith("\n\n");
        text += frames;
      }
      const frames = text.trimEnd().split("\n\n");
      expect(frames.at(-1)).toBe("data: [DONE]");
      expect(JSON.parse(frames.at(-2)?.slice("data: ".length) ?? "{}").usage.completion_tokens).toBeGreaterThan(0);
    });

    test("vectors are one JSON document, and each has the token count of its text", async () => {
      const { embeddingModel: model } = subject;
      const body = JSON.stringify({ model, input: ["one", "two"], encoding_format: "base64" });
      const answer = JSON.parse(
        await collect(await subject.engine.request(request({ route: "/v1/embeddings", model, body }))),
      );
      expect(answer.data).toMatchObject([
        { index: 0, embedding: expect.any(String), tokens: expect.any(Number) },
        { index: 1, embedding: expect.any(String), tokens: expect.any(Number) },
      ]);
    });

    test("a reply names the node and the revision", async () => {
      const reply = await subject.engine.request(request());
      await collect(reply);
      expect(reply.node).toBe(subject.engine.nodes()[0]?.id ?? "");
      expect(reply.modelRevision).not.toBe("unknown");
    });

    test("an unknown model is model_not_found and names the parameter", async () => {
      const error = await subject.engine.request(request({ model: "no-such-model" })).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(AppError);
      expect([error.kind, error.detail.param]).toEqual(["model_not_found", "model"]);
    });

    test("aborting ends the stream with client_closed and leaves no active request", async () => {
      const caller = new AbortController();
      const reply = await subject.engine.request(request({ stream: true, signal: caller.signal }));
      const reading = collect(reply).catch((thrown) => thrown);
      caller.abort();
      expect((await reading).kind).toBe("client_closed");
      expect(subject.engine.nodes()[0]?.outstanding).toBe(0);
    });

    test("a reader that stops early stops the generation", async () => {
      const reply = await subject.engine.request(request({ stream: true }));
      for await (const _ of reply.body) break;
      expect(subject.engine.nodes()[0]?.outstanding).toBe(0);
    });

    test("an aborted caller gets client_closed before anything is sent", async () => {
      const error = await subject.engine.request(request({ signal: AbortSignal.abort() })).catch((thrown) => thrown);
      expect(error.kind).toBe("client_closed");
    });
  });
};

import type { AnswerDetail } from "../../gateway/conversations/contract";
import { Fact } from "../ui/facts";
import { RequestId } from "../ui/states";
import { count, duration } from "../ui/time";

/** "184 tokens · 36.0 tokens/s · first token 118 ms", with details to expand. */
export const AnswerDetails = ({ detail }: { detail: AnswerDetail }) => {
  const { usage, cache, so_far: soFar } = detail;
  const tokens = usage?.completion_tokens ?? soFar?.tokens;
  const latency = detail.latency ?? soFar;
  const writingMs = latency ? latency.total - latency.ttft : 0;
  const speed = tokens && tokens > 1 && writingMs > 0 ? (tokens - 1) / (writingMs / 1000) : undefined;
  const short = [
    tokens !== undefined && `${usage ? "" : "about "}${count(tokens, "token")}`,
    cache?.status === "hit"
      ? "from the cache"
      : speed && `${speed < 100 ? speed.toFixed(1) : Math.round(speed)} tokens/s`,
    latency && `first token ${duration(latency.ttft)}`,
  ].filter(Boolean);
  return (
    <details class="facts">
      <summary>
        {short.length > 0 ? short.map((fact, index) => [index > 0 && " · ", <span>{fact}</span>]) : detail.model}
      </summary>
      <dl>
        <Fact name="Model">{[detail.model, detail.model_revision].filter(Boolean).join(" @ ")}</Fact>
        <Fact name="Node">{detail.node}</Fact>
        <Fact name="Tokens">
          {usage ? `${usage.prompt_tokens} in, ${usage.completion_tokens} out` : soFar && `about ${soFar.tokens} out`}
        </Fact>
        <Fact name="Waited for a slot">{detail.latency && duration(detail.latency.queue)}</Fact>
        <Fact name="First token">{latency && duration(latency.ttft)}</Fact>
        <Fact name={soFar ? "Until the end" : "Whole answer"}>{latency && duration(latency.total)}</Fact>
        <Fact name="Cache">{cache && [cache.status, cache.reason].filter(Boolean).join(": ")}</Fact>
        <Fact name="Ended by">{detail.finish_reason}</Fact>
        <Fact name="Request">
          <RequestId id={detail.request_id} />
        </Fact>
      </dl>
    </details>
  );
};

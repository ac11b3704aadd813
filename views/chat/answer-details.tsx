import type { AnswerDetail } from "../../gateway/conversations/contract";
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
        <Fact name="Model" value={[detail.model, detail.model_revision].filter(Boolean).join(" @ ")} />
        <Fact name="Node" value={detail.node} />
        <Fact
          name="Tokens"
          value={
            usage ? `${usage.prompt_tokens} in, ${usage.completion_tokens} out` : soFar && `about ${soFar.tokens} out`
          }
        />
        <Fact name="Waited for a slot" value={detail.latency && duration(detail.latency.queue)} />
        <Fact name="First token" value={latency && duration(latency.ttft)} />
        <Fact name={soFar ? "Until the end" : "Whole answer"} value={latency && duration(latency.total)} />
        <Fact name="Cache" value={cache && [cache.status, cache.reason].filter(Boolean).join(": ")} />
        <Fact name="Ended by" value={detail.finish_reason} />
        <div>
          <dt>Request</dt>
          <dd>
            <RequestId id={detail.request_id} />
          </dd>
        </div>
      </dl>
    </details>
  );
};

const Fact = ({ name, value }: { name: string; value?: string | null }) =>
  value ? (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  ) : null;

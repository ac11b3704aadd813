import { stops } from "../ui/fields";
import { IconButton } from "../ui/parts";

/** Queued messages; chat.js fills the list and sends them. */
export const Queue = () => (
  <>
    <ul id="queue" class="queue" aria-label="Queue"></ul>
    <template id="queued-pattern">
      <li>
        <span class="tag">Queued</span>
        <p></p>
        <button type="button" class="quiet" data-queue="send">
          Send now
        </button>
        <IconButton type="button" data-queue="edit" icon="edit" label="Edit queued message" />
        <IconButton type="button" data-queue="remove" icon="trash" label="Remove queued message" />
      </li>
    </template>
  </>
);

/** The indexes that answers may come from. */
export interface Source {
  indexes: readonly { id: string; name: string }[];
  /** Id of the index; null: the model alone. */
  chosen: string | null;
}

/**
 * "Answer from: no documents". With scripts, the choice is stored immediately, so that it also applies to regenerated
 * answers; it is also sent with each question. Omitted if there is no index to choose.
 */
const SourcePicker = ({ source: { indexes, chosen } }: { source: Source }) => {
  const isGone = chosen !== null && !indexes.some(({ id }) => id === chosen);
  if (indexes.length === 0 && !isGone) return null;
  return (
    <div class="answer-from">
      <label for="answer-from">Answer from</label>
      <select id="answer-from" name="index" hx-post="/chat/index" hx-swap="none" hx-trigger="change">
        <option value="">no documents</option>
        {indexes.map(({ id, name }) => (
          <option value={id} selected={id === chosen}>
            {name}
          </option>
        ))}
        {isGone && (
          <option value={chosen} selected>
            documents that are no longer available
          </option>
        )}
      </select>
    </div>
  );
};

interface ComposerProps {
  conversationId?: string;
  source: Source;
  draft?: string;
  problem?: string;
}

/**
 * Send and Stop are in the same place: the style sheet shows Stop while an answer is in progress. chat.js sends the
 * message.
 */
export const Composer = ({ conversationId = "", source, draft = "", problem }: ComposerProps) => (
  <form id="composer" class="composer" method="post" action="/chat">
    <input type="hidden" id="conversation" name="conversation" value={conversationId} />
    <label class="visually-hidden" for="question">
      Message
    </label>
    <textarea
      id="question"
      name="question"
      rows={1}
      placeholder="Write a message"
      aria-describedby={problem ? "problem composer-hint" : "composer-hint"}
      aria-invalid={problem ? "true" : undefined}
      required
      autofocus
      data-takes-focus
    >
      {draft}
    </textarea>
    <div class="composer-line">
      <SourcePicker source={source} />
      <p id="composer-hint" class="hint">
        <kbd>Enter</kbd> to <span class="when-idle">send</span>
        <span class="when-answering">
          queue, <kbd>Esc</kbd> to stop
        </span>
        , <kbd>Shift</kbd>+<kbd>Enter</kbd> for a new line
      </p>
      {problem && (
        <p id="problem" class="field-problem">
          {problem}
        </p>
      )}
      <IconButton look="round send" icon="send" label="Send" />
      <IconButton look="round stop" icon="stop" label="Stop" {...stops("/chat/stop")} />
    </div>
  </form>
);

import type { Conversation, ConversationWithMessages } from "../../gateway/conversations/contract";
import type { AnswerState } from "../../gateway/conversations/generation";
import { Alerts, type Frame, Shell } from "../layout";
import { Icon } from "../ui/icon";
import { CopyButton } from "../ui/states";
import { Answer, Question, Turn } from "./turn";

/** Longest question, in characters: what a body of the default size carries with room to spare. */
export const MAX_QUESTION = 100_000;

interface ChatPageProps extends Frame {
  /** undefined: a new chat. */
  conversation?: ConversationWithMessages;
  /** The reader's chats, last changed first. */
  history: readonly Conversation[];
  /** Text that was typed and could not be sent. */
  draft?: string;
  problem?: string;
}

/** The chat screen: earlier chats at the side, the turns, and the place to write in. */
export const ChatPage = ({ conversation, history, draft, problem, ...frame }: ChatPageProps) => {
  const messages = conversation?.messages ?? [];
  return (
    <Shell
      {...frame}
      title={conversation?.title ?? "New chat"}
      scripts={["hx-sse.js", "chat.js"]}
      kind="chat"
      aside={<History history={history} current={conversation?.id} />}
    >
      <h1 id="chat-title" class="visually-hidden">
        {conversation?.title ?? "New chat"}
      </h1>
      {conversation && <ChatMenu conversation={conversation} />}
      <div id="turns" class="turns" role="log" aria-live="off" aria-label="Conversation">
        {conversation && messages.length > 0 ? (
          messages.map((message) => <Turn conversationId={conversation.id} message={message} />)
        ) : (
          <Welcome />
        )}
      </div>
      <div class="dock">
        <button type="button" id="to-end" class="to-end" hidden>
          <Icon name="down" /> New text
        </button>
        <Alerts />
        <Composer conversationId={conversation?.id} draft={draft} problem={problem} />
      </div>
      <template id="copy-pattern">
        <CopyButton text="" label="Copy code" />
      </template>
      <p id="chat-status" class="visually-hidden" role="status">
        {messages.at(-1)?.status === "generating" ? "Generating" : ""}
      </p>
    </Shell>
  );
};

const SUGGESTIONS = [
  ["Explain", "Explain how continuous batching makes a language model serve more people at once."],
  ["Write", "Write a friendly note that tells my team about our new private assistant."],
  ["Code", "Write a TypeScript function that groups a list of objects by one of their fields."],
] as const;

/** A first screen that says where the words go, and gives three ways to begin. */
const Welcome = () => (
  <div class="welcome" id="welcome">
    <Icon name="mark" />
    <p class="welcome-title">What would you like to know?</p>
    <p>Your words go to the model on your own machine, and nowhere else.</p>
    <ul>
      {SUGGESTIONS.map(([verb, text]) => (
        <li>
          <button type="button" class="suggestion" data-suggestion={text}>
            <strong>{verb}</strong>
            <span>{text}</span>
          </button>
        </li>
      ))}
    </ul>
  </div>
);

interface ComposerProps {
  conversationId?: string;
  draft?: string;
  problem?: string;
}

/** Send and Stop share one place: while an answer runs, the style sheet shows Stop. */
const Composer = ({ conversationId = "", draft = "", problem }: ComposerProps) => (
  <form
    id="composer"
    class="composer"
    method="post"
    action="/chat"
    hx-post="/chat"
    hx-target="#turns"
    hx-swap="beforeend"
    hx-sync="this:drop"
  >
    <input type="hidden" id="conversation" name="conversation" value={conversationId} />
    <label class="visually-hidden" for="question">
      Message
    </label>
    <textarea
      id="question"
      name="question"
      rows={1}
      maxlength={MAX_QUESTION}
      placeholder="Write a message"
      aria-describedby={problem ? "problem composer-hint" : "composer-hint"}
      aria-invalid={problem ? "true" : undefined}
      required
      autofocus
    >
      {draft}
    </textarea>
    <div class="composer-line">
      <p id="composer-hint" class="hint">
        <kbd>Enter</kbd> sends, <kbd>Shift</kbd>+<kbd>Enter</kbd> makes a new line, <kbd>Esc</kbd> stops
      </p>
      {problem && (
        <p id="problem" class="field-problem">
          {problem}
        </p>
      )}
      <button type="submit" class="round send" title="Send">
        <Icon name="send" />
        <span class="visually-hidden">Send</span>
      </button>
      <button
        type="submit"
        class="round stop"
        title="Stop"
        formaction="/chat/stop"
        formnovalidate
        hx-post="/chat/stop"
        hx-swap="none"
      >
        <Icon name="stop" />
        <span class="visually-hidden">Stop</span>
      </button>
    </div>
  </form>
);

/** Earlier chats, newest first, with a way to a new one. */
const History = ({ history, current }: { history: readonly Conversation[]; current?: string }) => (
  <nav class="history" aria-label="Chats">
    <a class="new-chat" href="/chat">
      <Icon name="plus" /> New chat
    </a>
    <ul id="history">
      {history.map((conversation) => (
        <HistoryEntry conversation={conversation} isCurrent={conversation.id === current} />
      ))}
    </ul>
  </nav>
);

const HistoryEntry = ({ conversation, isCurrent }: { conversation: Conversation; isCurrent: boolean }) => (
  <li>
    <a href={`/chat/${conversation.id}`} aria-current={isCurrent ? "page" : undefined}>
      {conversation.title}
    </a>
  </li>
);

/** Rename and delete, folded away. */
const ChatMenu = ({ conversation }: { conversation: Conversation }) => (
  <details class="chat-menu">
    <summary title="Chat settings">
      <Icon name="more" />
      <span class="visually-hidden">Chat settings</span>
    </summary>
    <div class="popover">
      <form method="post" action={`/chat/${conversation.id}/rename`}>
        <label for="title">Name of this chat</label>
        <input id="title" name="title" value={conversation.title} maxlength={200} required />
        <button type="submit" class="secondary">
          Rename chat
        </button>
      </form>
      <form method="post" action={`/chat/${conversation.id}/delete`}>
        <button type="submit" class="danger">
          Delete chat for good
        </button>
      </form>
    </div>
  </details>
);

interface AskedProps {
  conversation: Conversation;
  question: { id: string; content: string };
  answer: AnswerState;
  isNew: boolean;
}

/** Answer to a sent question: both turns, and for a new chat its place in the history. */
export const Asked = ({ conversation, question, answer, isNew }: AskedProps) => (
  <>
    {isNew && (
      <>
        <title>{conversation.title} · Groundwire</title>
        <hx-partial hx-target="#chat-title" hx-swap="innerHTML">
          {conversation.title}
        </hx-partial>
        <hx-partial hx-target="#turns" hx-swap="beforebegin">
          <ChatMenu conversation={conversation} />
        </hx-partial>
        <hx-partial hx-target="#welcome" hx-swap="delete"></hx-partial>
        <hx-partial hx-target="#conversation" hx-swap="outerHTML">
          <input type="hidden" id="conversation" name="conversation" value={conversation.id} />
        </hx-partial>
        <hx-partial hx-target="#history" hx-swap="afterbegin">
          <HistoryEntry conversation={conversation} isCurrent />
        </hx-partial>
      </>
    )}
    <hx-partial hx-target="#alerts" hx-swap="innerHTML swapEmpty:true"></hx-partial>
    <hx-partial hx-target="#chat-status" hx-swap="innerHTML">
      Generating
    </hx-partial>
    <Question id={question.id} content={question.content} />
    <Answer conversationId={conversation.id} answer={answer} />
  </>
);

/** Answer to "answer again": the new answer stands where the old one was. */
export const Regenerated = ({
  conversationId,
  replacedId,
  answer,
}: {
  conversationId: string;
  replacedId: string;
  answer: AnswerState;
}) => (
  <>
    <hx-partial hx-target={`#${replacedId}`} hx-swap="outerHTML">
      <Answer conversationId={conversationId} answer={answer} />
    </hx-partial>
    <hx-partial hx-target="#chat-status" hx-swap="innerHTML">
      Generating
    </hx-partial>
  </>
);

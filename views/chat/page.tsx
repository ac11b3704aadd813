import type { Conversation, ConversationWithMessages } from "../../gateway/conversations/contract";
import type { Feedback } from "../../gateway/feedback/contract";
import { Alerts, type Frame, Shell } from "../layout";
import { Confirm, fieldsOf } from "../ui/fields";
import { CopyButton, Icon, IconText } from "../ui/parts";
import { Composer, Queue, type Source } from "./composer";
import { ContextDivider, ContextMeter } from "./context";
import { History, HistoryEntry, type HistoryProps, SearchForm } from "./history";
import { Turn, type Typed } from "./turn";

export interface ChatPageProps extends Frame {
  /** undefined: a new chat. */
  conversation?: ConversationWithMessages;
  /** The user's feedback on the conversation's answers, by request id. */
  feedback: ReadonlyMap<string, Feedback>;
  history: Omit<HistoryProps, "path" | "current">;
  typed?: Typed;
  /** The indexes that answers may come from. */
  indexes: Source["indexes"];
  /** The index that is chosen for a new chat. */
  index?: string;
  /** Id of the question that is being edited. `typed` is then the question's new text. */
  editing?: string;
  /** A new name that was rejected, and the reason. */
  renamed?: Typed;
}

/** The chat screen: a sidebar of earlier chats, the turns, and the message field. */
export const ChatPage = ({ conversation, feedback, history, typed, editing, renamed, ...rest }: ChatPageProps) => {
  const { indexes, index, ...frame } = rest;
  const path = conversation ? `/chat/${conversation.id}` : "/chat";
  return (
    <Shell
      {...frame}
      title={conversation?.title ?? "New chat"}
      scripts={["chat.js", "citations.js"]}
      kind="chat"
      refreshSeconds={conversation?.messages.at(-1)?.status === "generating" ? 3 : undefined}
      aside={<History {...history} path={path} current={conversation} />}
    >
      <h1 id="chat-title" class="visually-hidden">
        {conversation?.title ?? "New chat"}
      </h1>
      {conversation && <ChatMenu conversation={conversation} renamed={renamed} />}
      <div id="turns" class="turns" role="log" aria-live="off" aria-label="Conversation">
        <Turns conversation={conversation} feedback={feedback} editing={editing} typed={typed} />
      </div>
      <div class="dock">
        <button type="button" id="to-end" class="to-end" hidden>
          <Icon name="down" /> Jump to latest
        </button>
        <Alerts />
        <Queue />
        <Composer
          conversationId={conversation?.id}
          source={{ indexes, chosen: conversation ? conversation.index : (index ?? null) }}
          {...(editing === undefined ? typed : undefined)}
        />
        <ContextMeter context={conversation?.context} />
      </div>
      <template id="copy-pattern">
        <CopyButton text="" label="Copy code" />
      </template>
      <p id="chat-status" class="visually-hidden" role="status">
        {conversation?.messages.at(-1)?.status === "generating" ? "Generating" : ""}
      </p>
    </Shell>
  );
};

interface TurnsProps {
  conversation: ConversationWithMessages | undefined;
  feedback: ReadonlyMap<string, Feedback>;
  editing?: string;
  typed?: Typed;
}

/** The shown branch, with a divider above the first message that the model still reads. */
const Turns = ({ conversation, feedback, editing, typed }: TurnsProps) => {
  const { id = "", messages = [], context } = conversation ?? {};
  const start = messages.findIndex((message) => message.id === context?.first_message_id);
  const turns = messages.map((message, at) => {
    const edited = message.id === editing ? (typed ?? { draft: message.content }) : undefined;
    return <Turn conversationId={id} branch={messages} at={at} feedback={feedback} edited={edited} />;
  });
  return (
    <>
      {turns.slice(0, Math.max(0, start))}
      <ContextDivider isShown={start > 0} />
      {turns.slice(Math.max(0, start))}
      {messages.length === 0 && <Welcome />}
    </>
  );
};

/** The turns, rerendered after switching to another branch. */
export const OtherBranch = ({ conversation, feedback }: TurnsProps) => (
  <>
    <Turns conversation={conversation} feedback={feedback} />
    <hx-partial hx-target="#context-meter" hx-swap="outerHTML">
      <ContextMeter context={conversation?.context} />
    </hx-partial>
    <hx-partial hx-target="#chat-status" hx-swap="innerHTML">
      {conversation?.messages.at(-1)?.status === "generating" ? "Generating" : "Switched to another version"}
    </hx-partial>
  </>
);

const SUGGESTIONS = [
  ["Explain", "Explain how continuous batching lets a language model serve more people at the same time."],
  ["Write", "Write a friendly note that tells my team about our new private assistant."],
  ["Code", "Write a TypeScript function that groups a list of objects by one of their fields."],
] as const;

const Welcome = () => (
  <div class="welcome" id="welcome">
    <Icon name="mark" />
    <p class="welcome-title">What would you like to know?</p>
    <p>Your messages are processed by a model on your own machine. They are not sent anywhere else.</p>
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

const ChatMenu = ({ conversation, renamed }: { conversation: Conversation; renamed?: Typed }) => (
  <details class="chat-menu" open={renamed !== undefined}>
    <summary title="Chat settings">
      <IconText name="more" text="Chat settings" />
    </summary>
    <div class="popover">
      <form method="post" action={`/chat/${conversation.id}/rename`}>
        {fieldsOf(
          { title: renamed?.draft ?? conversation.title },
          renamed?.problem ? { title: renamed.problem } : {},
        ).text("title", "Chat name", { maxlength: 200, required: true, autofocus: renamed !== undefined })}
        <button type="submit" class="secondary">
          Rename chat
        </button>
      </form>
      <Confirm opener="Delete chat…" action={`/chat/${conversation.id}/delete`} submit="Delete chat permanently">
        Delete “{conversation.title}” and all its messages? This can’t be undone.
      </Confirm>
    </div>
  </details>
);

interface AskedProps extends TurnsProps {
  conversation: ConversationWithMessages;
  isNew: boolean;
  /** Id of the last turn on the page. */
  shown: string;
}

/** True if the page shows every turn before the question that was just asked. */
export const isUpToDate = ({ messages }: ConversationWithMessages, shown: string): boolean =>
  (messages.at(-3)?.id ?? "") === shown;

/** Response to a question: both turns, or all turns if the page lacks some. A new chat is added to the history. */
export const Asked = ({ isNew, shown, ...branch }: AskedProps) => {
  const { conversation, feedback } = branch;
  return (
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
          <hx-partial hx-target="#conversation" hx-swap="outerHTML">
            <input type="hidden" id="conversation" name="conversation" value={conversation.id} />
          </hx-partial>
          <hx-partial hx-target="#chat-search" hx-swap="innerMorph">
            <SearchForm path={`/chat/${conversation.id}`} />
          </hx-partial>
          <hx-partial hx-target="#history" hx-swap="afterbegin">
            <HistoryEntry conversation={conversation} isCurrent />
          </hx-partial>
        </>
      )}
      {conversation.messages.length <= 2 && <hx-partial hx-target="#welcome" hx-swap="delete"></hx-partial>}
      <hx-partial hx-target="#alerts" hx-swap="innerHTML swapEmpty:true"></hx-partial>
      {isUpToDate(conversation, shown) ? (
        <>
          <hx-partial hx-target="#chat-status" hx-swap="innerHTML">
            Generating
          </hx-partial>
          {[-2, -1].map((fromEnd) => (
            <Turn
              conversationId={conversation.id}
              branch={conversation.messages}
              at={conversation.messages.length + fromEnd}
              feedback={feedback}
            />
          ))}
        </>
      ) : (
        <OtherBranch {...branch} />
      )}
    </>
  );
};

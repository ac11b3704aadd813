import type { Conversation, ConversationPage } from "../../gateway/conversations/contract";
import { withQuery } from "../ui/lists";
import { Icon } from "../ui/parts";

export interface HistoryProps {
  /** Path of the page that shows the list: `/chat` or `/chat/{id}`. */
  path: string;
  chats: ConversationPage;
  /** Text to find in titles and messages. */
  search?: string;
  /** Cursor after which `chats` start; undefined if they start with the newest. */
  after?: string;
  /** The open chat, which is always listed. */
  current?: Conversation;
}

/** Earlier chats, most recently changed first, with links to a new chat and to older chats. */
export const History = (props: HistoryProps) => (
  <nav class="history" aria-label="Chats">
    <a class="new-chat" href="/chat">
      <Icon name="plus" /> New chat
    </a>
    <search id="chat-search">
      <SearchForm {...props} />
    </search>
    <Chats {...props} />
  </nav>
);

/** Searches the chats and keeps the open one. */
export const SearchForm = ({ path, search }: Pick<HistoryProps, "path" | "search">) => (
  <form
    class="search"
    method="get"
    action={path}
    hx-get={path}
    hx-target="#chats"
    hx-swap="outerHTML"
    hx-push-url="true"
  >
    <label class="visually-hidden" for="search">
      Search chats
    </label>
    <input
      id="search"
      type="search"
      name="search"
      value={search}
      placeholder="Search chats"
      maxlength={200}
      autocomplete="off"
    />
  </form>
);

/** The list, which a search replaces. */
export const Chats = (props: HistoryProps) => {
  const { path, chats, search, after } = props;
  return (
    <div id="chats" class="chats">
      {search !== undefined && (
        <p class="fine" role="status">
          {chats.data.length > 0 ? `Chats that match “${search}”. ` : `No chats match “${search}”. `}
          <a href={path}>Show all chats</a>
        </p>
      )}
      {search === undefined && after !== undefined && (
        <p class="fine">
          Older chats. <a href={path}>Show the newest</a>
        </p>
      )}
      <ul id="history">
        <Entries {...props} />
      </ul>
    </div>
  );
};

/** One page of entries. The last entry links to the next page, which replaces the link if scripts are enabled. */
export const Entries = ({ path, chats, search, current }: HistoryProps) => {
  const older = chats.next_cursor && withQuery(path, { search, after: chats.next_cursor });
  const isListed = search !== undefined || chats.data.some(({ id }) => id === current?.id);
  return (
    <>
      {chats.data.map((conversation) => (
        <HistoryEntry conversation={conversation} search={search} isCurrent={conversation.id === current?.id} />
      ))}
      {current && !isListed && <HistoryEntry conversation={current} isCurrent />}
      {older && (
        <li>
          <a class="older" href={older} hx-get={older} hx-target="closest li" hx-swap="outerHTML">
            Show older chats
          </a>
        </li>
      )}
    </>
  );
};

interface HistoryEntryProps {
  conversation: Conversation;
  /** The search, which is part of every link so that the user can open one match after another. */
  search?: string;
  isCurrent: boolean;
}

export const HistoryEntry = ({ conversation: { id, title }, search, isCurrent }: HistoryEntryProps) => (
  <li>
    <a href={withQuery(`/chat/${id}`, { search })} aria-current={isCurrent ? "page" : undefined}>
      {title}
    </a>
  </li>
);

import type { Child } from "hono/jsx";
import { assetUrl } from "../assets";

export type IconName =
  | "mark"
  | "chat"
  | "datasets"
  | "evals"
  | "keys"
  | "system"
  | "plus"
  | "send"
  | "stop"
  | "copy"
  | "check"
  | "retry"
  | "alert"
  | "clock"
  | "theme"
  | "thumb"
  | "leave"
  | "menu"
  | "down"
  | "more"
  | "edit"
  | "trash"
  | "previous"
  | "next";

/** An icon from the sprite, hidden from screen readers, because its control has a label. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg class="icon" aria-hidden="true" focusable="false">
    <use href={`${assetUrl("icons.svg")}#${name}`} />
  </svg>
);

/** An icon with its text for screen readers: the content of a button without a visible label. */
export const IconText = ({ name, text }: { name: IconName; text: string }) => (
  <>
    <Icon name={name} />
    <span class="visually-hidden">{text}</span>
  </>
);

interface IconButtonProps {
  icon: IconName;
  label: string;
  look?: string;
  /** Further attributes of the button. */
  [attribute: string]: Child;
}

/** A button that shows only an icon. */
export const IconButton = ({ icon, label, look = "quiet icon-button", ...attributes }: IconButtonProps) => (
  <button type="submit" class={look} title={label} {...(attributes as object)}>
    <IconText name={icon} text={label} />
  </button>
);

interface ButtonLinkProps {
  href: string;
  text: string;
  icon?: IconName;
  look?: string;
}

/** A link that looks like a button. */
export const ButtonLink = ({ href, text, icon, look = "button" }: ButtonLinkProps) => (
  <a class={look} href={href}>
    {icon && <Icon name={icon} />} {text}
  </a>
);

/** Elements whose content is not part of the page's text. */
const HIDDEN = new Set(
  "script style template noscript iframe object embed applet canvas audio video svg math head nav button input select textarea option datalist map progress meter dialog".split(
    " ",
  ),
);
const HIDDEN_ROLES = new Set(
  "navigation search banner contentinfo complementary dialog alertdialog menu menubar toolbar tablist tooltip".split(
    " ",
  ),
);
/** Class names and ids that pages commonly use for parts around the main content. */
const AROUND_CLASS =
  /(?:^|[_-])(?:cookies?|consent|gdpr|newsletter|breadcrumbs?|sidebar|navbar|nav|navigation|site-?header|site-?footer|page-?footer|footer|social|share|sharing|advert(?:isement)?|ads?|promo|popup|modal|related|skip-?link|toc)(?:$|[_-])/i;
const AROUND_ID =
  /^(?:cookie-?(?:banner|bar|consent|notice)|sidebar|navbar|nav|navigation|main-?menu|breadcrumbs?|footer|site-?footer|page-?footer)$/i;
const CONTAINERS = new Set(["div", "section", "aside", "ul", "ol", "p", "span", "header", "footer", "a"]);
const SIDE_FORM = /search|subscri|newsletter|log-?in|sign-?in/i;
const INVISIBLE =
  /display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|!|$)|font-size\s*:\s*0(?:px|em|rem|%)?\s*(?:;|!|$)|(?:left|top|text-indent)\s*:\s*-\d{3,}/i;
/** Maximum length of a style sheet that is searched for hidden classes. */
const MAX_STYLE = 500_000;

/** Decides which elements of a page are not part of its text. */
export class HiddenRules {
  /** The selectors `.class` and `#id` that a style sheet hides. */
  readonly #selectors = new Set<string>();

  addStyle(css: string): void {
    for (const rule of css.slice(0, MAX_STYLE).split("}")) {
      const brace = rule.lastIndexOf("{");
      if (brace < 0 || !INVISIBLE.test(rule.slice(brace + 1))) continue;
      for (const selector of rule.slice(Math.max(0, brace - 2000), brace).split(/[,{}]/)) {
        const simple = selector.trim().replace(/^[a-z][a-z0-9]*(?=[.#])/i, "");
        if (/^[.#][\w-]+$/.test(simple)) this.#selectors.add(simple);
      }
    }
  }

  hides(
    name: string,
    attributes: Record<string, string>,
    { isInMain, isInHeading }: { isInMain: boolean; isInHeading: boolean },
  ): boolean {
    if (HIDDEN.has(name)) return !(name === "button" && isInHeading);
    if ((name === "footer" || name === "aside") && !isInMain) return true;
    const { class: classes = "", id = "", role = "", style = "", action = "" } = attributes;
    if ("hidden" in attributes || attributes["aria-hidden"] === "true" || HIDDEN_ROLES.has(role)) return true;
    if (INVISIBLE.test(style) || this.#selectors.has(`#${id}`)) return true;
    const names = classes === "" ? [] : classes.split(/\s+/, 50);
    if (names.some((each) => this.#selectors.has(`.${each}`))) return true;
    if (name === "form") return SIDE_FORM.test(`${classes} ${id} ${action}`.slice(0, 1000));
    return CONTAINERS.has(name) && (names.some((each) => AROUND_CLASS.test(each)) || AROUND_ID.test(id));
  }
}

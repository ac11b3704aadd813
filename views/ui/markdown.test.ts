import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { GrowingMarkdown, markdown } from "./markdown";

const DANGEROUS =
  /<(?:script|img|iframe|svg|math|style|form|input|button|object|embed|link|meta|base|video|template)\b/i;
const HANDLER = /<[^>]*\s(?:on\w+|style|hx-[\w:-]+|data-hx-[\w:-]+|srcset|src)\s*=/i;

const ATTACKS = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "![x](https://evil.example/p.png)",
  "![x][1]\n\n[1]: https://evil.example/p.png",
  "[click](javascript:alert(1))",
  "[click](JaVaScRiPt&colon;alert(1))",
  "[click](data:text/html;base64,PHNjcmlwdD4=)",
  "<a href='java\tscript:alert(1)'>x</a>",
  "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
  "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
  "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
  "<div hx-get='/keys' hx-trigger='load'>x</div>",
  "<hx-partial hx-target='body'>gone</hx-partial>",
  "```\n</code></pre><script>alert(1)</script>\n```",
  '```html" onload=alert(1)\nx\n```',
  "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
  "<style>@import 'https://evil.example/a.css'</style>",
  "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
  "<form action='https://evil.example'><input name=q><button>go</button></form>",
  "<base href='https://evil.example/'>",
  "<template><img src=x></template>",
  "<textarea></textarea><img src=x onerror=alert(1)></textarea>",
  "<pre>raw</pre>",
  "<table><pre>raw</table></pre></div>",
  "<a href='https://evil.example' ping='https://evil.example'>x</a>",
];

/** A tag too many would close the answer's own element, and let the rest out into the page. */
const expectPaired = (html: string): void => {
  for (const tag of ["div", "pre", "table"]) {
    const count = (pattern: string) => html.match(new RegExp(`${pattern}\\b`, "g"))?.length ?? 0;
    expect(count(`</${tag}`)).toBe(count(`<${tag}`));
  }
};

describe("what a model's text becomes", () => {
  test.each(ATTACKS)("is harmless: %s", (attack) => {
    const html = markdown(attack);
    expect(html).not.toMatch(DANGEROUS);
    expect(html).not.toMatch(HANDLER);
    expect(html).not.toMatch(/<hx-|href="(?!https?:|mailto:|\/|#)/i);
    expectPaired(html);
  });

  test("stays harmless however attacks are cut and joined", () => {
    const piece = fc.constantFrom(...ATTACKS.flatMap((attack) => [attack, attack.slice(0, 9), attack.slice(9)]));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const html = markdown(pieces.join(""));
        expect(html).not.toMatch(DANGEROUS);
        expect(html).not.toMatch(HANDLER);
        expectPaired(html);
      }),
    );
  });

  test("links tell their host and pass nothing on", () => {
    expect(markdown("[docs](https://example.com/a)")).toContain(
      '<a href="https://example.com/a" data-host="example.com" rel="noopener noreferrer nofollow">docs</a>',
    );
  });

  test("code in a language that is known is coloured by classes, other code is left as it is", () => {
    const known = markdown('```ts\nconst a = "<b>";\n```');
    expect(known).toContain('<code class="language-ts"><span class="code-keyword">const</span> a');
    expect(known).toContain('<span class="code-string">"&lt;b&gt;"</span>');
    expect(markdown("```klingon\nconst a;\n```")).toContain('<code class="language-klingon">const a;');
    expect(markdown('<span class="code-keyword shell" style="x">a</span>')).toBe(
      '<p><span class="code-keyword">a</span></p>\n',
    );
  });

  test("headings stand below the page's own", () => {
    expect(markdown("# One\n\n### Two")).toBe("<h3>One</h3>\n<h4>Two</h4>\n");
  });
});

describe("a text that grows", () => {
  const TEXT =
    "Intro *here*.\n\n- one\n- two\n  more\n\n```js\nconst a = 1;\n\nconst b = 2;\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nThe end.";

  test("ends as the whole text would, in pieces of any size and with any ends of lines", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.constantFrom("\n", "\r\n", "\r"), (step, lineEnd) => {
        const text = TEXT.replaceAll("\n", lineEnd);
        const growing = new GrowingMarkdown();
        let finished = "";
        let open = "";
        for (let end = step; end < text.length + step; end += step) {
          const update = growing.update(text.slice(0, end));
          finished += update.finished;
          open = update.open;
        }
        expect(finished + open).toBe(markdown(TEXT));
      }),
    );
  });

  test("keeps a long code block whole whose lines end as on Windows", () => {
    const lines = Array.from({ length: 12 }, (_, index) => `a${index};`);
    const text = ["```", ...lines, "```", "", "The end."].join("\r\n");
    const growing = new GrowingMarkdown();
    growing.update(text.slice(0, text.indexOf("The end")));
    growing.update(text.slice(0, -2));
    expect(growing.update(text).open).toBe("<p>The end.</p>\n");
  });

  test("renders a finished block once", () => {
    const growing = new GrowingMarkdown();
    growing.update("First.");
    expect(growing.update("First.\n\nSec").finished).toContain("First.");
    expect(growing.update("First.\n\nSecond").finished).toBe("");
  });
});

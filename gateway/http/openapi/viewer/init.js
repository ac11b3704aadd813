// Uses the reader's theme, as the pages do: the one in the cookie, else the system's.
const chosen = /(?:^|; )groundwire-theme=(light|dark)/.exec(document.cookie)?.[1];
const system = matchMedia("(prefers-color-scheme: dark)");
const applyTheme = () => {
  const isDark = chosen ? chosen === "dark" : system.matches;
  document.documentElement.classList.toggle("dark-mode", isDark);
};
applyTheme();
system.addEventListener("change", applyTheme);

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  filter: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  syntaxHighlight: { activated: true, theme: "nord" },
});

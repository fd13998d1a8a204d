// Swagger UI over this host's own contract, with the session's test key filled in.
(() => {
  "use strict";
  const place = document.getElementById("swagger"), key = document.getElementById("docs-key");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const shade = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", shade);
  shade();
  const ui = window.SwaggerUIBundle({
    domNode: place, url: place.dataset.spec, deepLinking: true, docExpansion: "list", defaultModelsExpandDepth: 0, tryItOutEnabled: true,
    displayRequestDuration: true, persistAuthorization: false, validatorUrl: null, supportedSubmitMethods: ["get", "post", "patch", "delete"],
    presets: [window.SwaggerUIBundle.presets.apis], layout: "BaseLayout",
    onComplete: () => {
      if (key) ui.preauthorizeApiKey("bearer", key.value);
      for (const main of place.querySelectorAll("main")) main.setAttribute("role", "presentation"); // The page has one of its own.
      document.documentElement.dataset.docs = "ready";
    },
  });
})();

// Swagger UI over one of this host's own documents. A key on the page is filled in; a header that the page names goes with every call.
(() => {
  "use strict";
  const place = document.getElementById("swagger"), key = document.getElementById("docs-key");
  const [header, value] = (place.dataset.header ?? "").split(": ");
  const ui = window.SwaggerUIBundle({
    domNode: place, url: place.dataset.spec, deepLinking: true, docExpansion: "list", defaultModelsExpandDepth: 0, tryItOutEnabled: true,
    displayRequestDuration: true, persistAuthorization: false, validatorUrl: null, supportedSubmitMethods: ["get", "post", "patch", "put", "delete"],
    presets: [window.SwaggerUIBundle.presets.apis], layout: "BaseLayout",
    requestInterceptor: request => {
      if (header && !request.loadSpec) request.headers[header] = value;
      return request;
    },
    onComplete: () => {
      if (key) ui.preauthorizeApiKey("bearer", key.value);
      for (const main of place.querySelectorAll("main")) main.setAttribute("role", "presentation"); // The page has one of its own.
      document.documentElement.dataset.docs = "ready";
    },
  });
})();

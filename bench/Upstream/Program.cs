using Bff.Bench.Upstream;
using Microsoft.AspNetCore.Server.Kestrel.Core;

// Every service behind the gateways in one fast process: bytes that were made at start, found by path, no routing, no middleware.
// Usage: <port>. Beside the services: /token, /.well-known/openid-configuration and /keys (RS256), /v1/traces (swallows OTLP), /delay.
var port = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder
    .WebHost.UseKestrelCore()
    .ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null; // /sink takes any size, /source gives it.
        kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http1);
    });

var app = builder.Build();
var issuer = new Issuer(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
app.Run(new Services(issuer).Answer);
app.Run();

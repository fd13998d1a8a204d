using Bff.Bench.Upstream;
using Microsoft.AspNetCore.Server.Kestrel.Core;

// Serves all services behind the gateways from one fast process: bytes made at start, found by path, without routing or middleware.
// Usage: <port>. Also serves /token, /.well-known/openid-configuration and /keys (RS256), /v1/traces (discards OTLP), and /delay.
var port = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder
    .WebHost.UseKestrelCore()
    .ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null; // /sink accepts any size, and /source sends it.
        kestrel.ListenLocalhost(port, listen => listen.Protocols = HttpProtocols.Http1);
    });

var app = builder.Build();
var issuer = new Issuer(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
app.Run(new Services(issuer).Answer);
app.Run();

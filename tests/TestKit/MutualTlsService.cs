using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Bff.TestKit;

/// <summary>A service that accepts only callers with a certificate of its authority, and always returns the same document.</summary>
public sealed class MutualTlsService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private MutualTlsService(WebApplication app) => _app = app;

    /// <summary>The requests it served: path and subject of the caller's certificate.</summary>
    public ConcurrentQueue<(string Path, string? Caller)> Served { get; } = new();

    public string Address => _app.Urls.First();

    public static async Task<MutualTlsService> Start(TestAuthority authority, string document)
    {
        var certificate = authority.Issue("service");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel =>
                kestrel.Listen(
                    IPAddress.Loopback,
                    0,
                    listen =>
                    {
                        listen.Protocols = HttpProtocols.Http1AndHttp2;
                        listen.UseHttps(
                            X509CertificateLoader.LoadPkcs12FromFile(certificate.Pkcs12File, certificate.Password),
                            https =>
                            {
                                https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                                https.ClientCertificateValidation = (presented, _, _) => authority.Issued(presented);
                            }
                        );
                    }
                )
            );
        var service = new MutualTlsService(builder.Build());
        service._app.Run(context =>
        {
            service.Served.Enqueue((context.Request.Path, context.Connection.ClientCertificate?.Subject));
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(document, context.RequestAborted);
        });
        await service._app.StartAsync();
        return service;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}

using System.Net;

namespace Bff.Dev.IdentityProvider;

public sealed partial class DevelopmentIdentityProvider
{
    private const string Warning = """

        ************************************************************************
        **  DEVELOPMENT IDENTITY PROVIDER: it asks for no password and mints  **
        **  any token for anybody who can reach it. Never expose it, and      **
        **  never let a production gateway trust it.                          **
        ************************************************************************

        """;

    /// <exception cref="InvalidOperationException">The environment is Production.</exception>
    public static async Task<DevelopmentIdentityProvider> StartAsync(
        IdentityProviderOptions? options = null,
        CancellationToken cancellation = default
    )
    {
        RefuseProduction();
        var provider = new DevelopmentIdentityProvider(options ?? new IdentityProviderOptions());
        try
        {
            await provider.ListenAsync(cancellation);
            return provider;
        }
        catch
        {
            await provider.DisposeAsync();
            throw;
        }
    }

    internal static async Task<int> RunAsync(string[] args)
    {
        try
        {
            await using var provider = await StartAsync(ReadOptions(args));
            await Console.Error.WriteLineAsync(Warning);
            Console.WriteLine($"Listening on {provider.app!.Urls.First()}, issuer {provider.Authority}");
            await provider.app.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception exception) when (exception is InvalidOperationException or IOException)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 1;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (app is not null)
        {
            Faults.Clear();
            using var timeLimit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await app.StopAsync(timeLimit.Token);
            await app.DisposeAsync();
        }

        backchannel.Dispose();
        Keys.Dispose();
    }

    private async Task ListenAsync(CancellationToken cancellation)
    {
        // Uses an empty builder, so that the environment and settings files of an embedding program do not change how this listens.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = 64 * 1024;
            });
        builder.WebHost.UseUrls($"http://{Options.Host}:{Options.Port}");
        builder.Services.AddRoutingCore();

        app = builder.Build();
        app.Use(SetHeaders);
        app.UseRouting();
        MapAll(app);
        app.UseEndpoints(_ => { });
        await app.StartAsync(cancellation);
        Tokens.Issuer = (Options.Issuer ?? app.Urls.First()).TrimEnd('/');
    }

    private void MapAll(IEndpointRouteBuilder routes)
    {
        Discovery.Map(routes, this);
        Authorize.Map(routes, this);
        Token.Map(routes, this);
        Introspect.Map(routes, this);
        Revoke.Map(routes, this);
        UserInfo.Map(routes, this);
        EndSession.Map(routes, this);
        DevelopmentEndpoints.Map(routes, this);
        routes.MapGet("/health/live", context => context.Response.WriteAsync("{}", context.RequestAborted));
        routes.MapGet(
            "/sign-in.css",
            async context =>
            {
                context.Response.ContentType = "text/css; charset=utf-8";
                await using var style = typeof(DevelopmentIdentityProvider).Assembly.GetManifestResourceStream("sign-in.css")!;
                await style.CopyToAsync(context.Response.Body, context.RequestAborted);
            }
        );
    }

    private static Task SetHeaders(HttpContext context, RequestDelegate next)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        return next(context);
    }

    private static void RefuseProduction()
    {
        var environment =
            Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT");
        if (string.Equals(environment, "Production", StringComparison.OrdinalIgnoreCase))
            throw new InvalidOperationException(
                "The development identity provider does not start in Production: it lets anybody be anybody."
            );
    }

    private static IdentityProviderOptions ReadOptions(string[] args)
    {
        var options = new IdentityProviderOptions();
        new ConfigurationBuilder()
            .SetBasePath(Directory.GetCurrentDirectory())
            .AddJsonFile("appsettings.json", optional: true)
            .AddEnvironmentVariables()
            .AddCommandLine(args)
            .Build()
            .GetSection("IdentityProvider")
            .Bind(options);
        return options;
    }
}

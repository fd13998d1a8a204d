using System.Net;
using Bff.Dev.Upstreams.Calls;
using Bff.Dev.Upstreams.Data;
using Bff.Dev.Upstreams.Faults;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Bff.Dev.Upstreams;

/// <summary>
/// All sample services in one host, each on a port of its own, by which a connection is assigned to its service. Each request is recorded,
/// checked for faults, and then answered.
/// </summary>
public sealed class SampleServices : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly List<ListenOptions> listeners = [];
    private readonly SampleServicesOptions options;
    private readonly TokenCheck? tokens;
    private WebApplication? host;

    private SampleServices(SampleServicesOptions options)
    {
        this.options = options;
        tokens = options.TokenAuthority is { } authority ? new TokenCheck(authority) : null;
        var book = new OrderBook(options.Time);
        Users = new Users();
        Orders = new Orders(book);
        Products = new Products();
        Catalog = new Catalog();
        Reviews = new Reviews();
        Inventory = new Inventory();
        Pricing = new Pricing();
        Recommendations = new Recommendations();
        Notifications = new Notifications(options);
        Shipping = new Shipping(book);
        Search = new Search();
        Media = new Media();
        All = [Users, Orders, Products, Catalog, Reviews, Inventory, Pricing, Recommendations, Notifications, Shipping, Search, Media];
    }

    public Users Users { get; }
    public Orders Orders { get; }
    public Products Products { get; }
    public Catalog Catalog { get; }
    public Reviews Reviews { get; }
    public Inventory Inventory { get; }
    public Pricing Pricing { get; }
    public Recommendations Recommendations { get; }
    public Notifications Notifications { get; }
    public Shipping Shipping { get; }
    public Search Search { get; }
    public Media Media { get; }

    /// <summary>All services, in the order of their ports.</summary>
    public IReadOnlyList<SampleService> All { get; }

    public SampleService this[string name] =>
        All.FirstOrDefault(service => service.Name == name)
        ?? throw new ArgumentException($"No sample service is called '{name}'.", nameof(name));

    public IReadOnlyDictionary<string, Uri> Addresses => All.ToDictionary(service => service.Name, service => service.Address);

    /// <summary>Settings with which a gateway reaches these services: <c>Upstreams:users:Address</c> and so on.</summary>
    public IReadOnlyDictionary<string, string?> GatewaySettings =>
        All.ToDictionary(service => $"Upstreams:{service.Name}:Address", service => (string?)service.Address.ToString().TrimEnd('/'));

    public static async Task<SampleServices> StartAsync(SampleServicesOptions? options = null, CancellationToken ct = default)
    {
        var services = new SampleServices(options ?? new SampleServicesOptions());
        try
        {
            await services.ListenAsync(ct);
            return services;
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }
    }

    /// <summary>Removes all faults, forgets all calls and restores the initial data.</summary>
    public void Reset()
    {
        foreach (var service in All)
        {
            service.Faults.Heal();
            service.Calls.Clear();
            service.ResetData();
        }
    }

    public Task WaitForShutdownAsync(CancellationToken ct = default) => host!.WaitForShutdownAsync(ct);

    public async ValueTask DisposeAsync()
    {
        // Releases hanging requests first, because the host would wait for them.
        await stopping.CancelAsync();
        if (host is not null)
        {
            await host.StopAsync(CancellationToken.None);
            await host.DisposeAsync();
        }
        tokens?.Dispose();
        stopping.Dispose();
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        Catalog.Register(builder.Services);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.AddServerHeader = false;
                kestrel.Limits.MaxRequestBodySize = SampleService.MaxRequestBytes;
                kestrel.Limits.MinRequestBodyDataRate = null;
                kestrel.Limits.MinResponseDataRate = null;
                kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
                for (var i = 0; i < All.Count; i++)
                    Listen(kestrel, All[i], options.BasePort == 0 ? 0 : options.BasePort + i);
            });

        host = builder.Build();
        host.Lifetime.ApplicationStopping.Register(stopping.Cancel);
        Catalog.Map(host);
        host.UseWebSockets();
        host.Run(context => ServeAsync(context, context.Features.GetRequiredFeature<SampleService>()));
        await Pricing.Warmed;
        await host.StartAsync(ct);
        _ = tokens?.Warm();

        for (var i = 0; i < All.Count; i++)
            All[i].Address = new UriBuilder("http", ReachableHost(), listeners[i].IPEndPoint!.Port).Uri;
    }

    private string ReachableHost() => (options.Host.Equals(IPAddress.Any) ? IPAddress.Loopback : options.Host).ToString();

    private void Listen(KestrelServerOptions kestrel, SampleService service, int port) =>
        kestrel.Listen(
            options.Host,
            port,
            listener =>
            {
                listener.Protocols = service.Protocols;
                listener.Use(next =>
                    connection =>
                    {
                        connection.Features.Set(service);
                        return next(connection);
                    }
                );
                listeners.Add(listener);
            }
        );

    private async Task ServeAsync(HttpContext context, SampleService service)
    {
        if (context.Request.Path.StartsWithSegments("/__faults") || context.Request.Path.StartsWithSegments("/__calls"))
        {
            var named = context.Request.Query["service"] is [{ } name] ? All.FirstOrDefault(other => other.Name == name) : service;
            await (named is null ? Answer.NotFoundAsync(new Exchange(context, []), "service") : ControlSurface.ServeAsync(context, named));
            return;
        }

        if (tokens is not null && !await tokens.Admits(context, service.Name))
            return;
        using var _ = stopping.Token.Register(static state => ((HttpContext)state!).Abort(), context);
        var exchange = service.ReadsBody(context.Request) ? await Exchange.ReceiveAsync(context) : new Exchange(context, []);
        var call = options.Record ? service.Calls.Begin(exchange, service.Name, options.Time.GetUtcNow()) : null;
        try
        {
            await (
                service.Faults.Take(context.Request.Method, context.Request.Path, context.Request.Headers["X-Request-Id"]) is { } fault
                    ? FaultyAnswer.SendAsync(fault, service, exchange, options.Time)
                    : service.HandleAsync(exchange)
            );
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            // The client disconnected, which the record below shows.
        }
        finally
        {
            call?.End(context.RequestAborted.IsCancellationRequested);
        }
    }
}

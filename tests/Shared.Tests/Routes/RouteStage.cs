using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Requests;
using Bff.Routes;
using Bff.Shared.Tests.Upstreams;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Routes;

/// <summary>A whole gateway, which takes anybody for somebody, before one service of the test's: the upstream <c>stub</c>.</summary>
internal sealed class RouteStage : IAsyncDisposable
{
    private RouteStage(TestHost service, TestHost gateway) => (Service, Gateway) = (service, gateway);

    public TestHost Service { get; }

    public TestHost Gateway { get; }

    /// <param name="serve">What the service does.</param>
    /// <param name="settings">The gateway's, made of the service's address; <c>Upstreams:stub:Address</c> is there.</param>
    /// <param name="time">The gateway's clock; null: the machine's.</param>
    /// <param name="server">What the service's server allows.</param>
    /// <param name="places">The gateway's own middleware.</param>
    /// <param name="hasOwn">Whether the host has an endpoint of its own, <c>/own</c>, that passes on to the service.</param>
    public static async Task<RouteStage> Start(
        RequestDelegate serve,
        Func<string, Dictionary<string, string?>> settings,
        TimeProvider? time = null,
        Action<WebApplicationBuilder>? server = null,
        Action<PipelinePlaces>? places = null,
        bool hasOwn = false
    )
    {
        var service = await TestHost.Start(server ?? (_ => { }), app => app.Run(serve));
        var gateway = await Before(service.Address, settings(service.Address.ToString()), time, places, hasOwn);
        return new(service, gateway);
    }

    /// <summary>The gateway alone, before a service that need not be a server.</summary>
    public static Task<TestHost> Before(
        Uri service,
        Dictionary<string, string?> settings,
        TimeProvider? time = null,
        Action<PipelinePlaces>? places = null,
        bool hasOwn = false
    ) =>
        TestHost.Start(
            builder =>
            {
                if (time is not null)
                {
                    builder.Services.AddSingleton(time);
                }

                builder.AddBffDefaults();
                builder.Services.AddSingleton<ICallerSource, Somebody>();
                if (hasOwn)
                {
                    builder.AddUpstream<ISample>("stub");
                }
            },
            app =>
            {
                app.UseBffPipeline(places);
                if (hasOwn)
                {
                    app.Map("/own", (HttpContext context, PassThrough through, ISample stub) => through.Send(context, stub.Any()))
                        .RequireScope("api");
                }
            },
            new Dictionary<string, string?>(settings) { ["Upstreams:stub:Address"] = service.ToString() }
        );

    /// <summary>How many places of its services the gateway's calls hold; an answer gives its place back only after it has ended.</summary>
    public static long Places(TestHost gateway)
    {
        var places = 0L;
        using var listener = gateway.Services.Listen("bff.upstream.places");
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => places += value);
        listener.Start();
        listener.RecordObservableInstruments();
        return places;
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await Service.DisposeAsync();
    }
}

/// <summary>Every request is this caller's, but those that say that they are nobody's.</summary>
internal sealed class Somebody : ICallerSource
{
    private readonly Caller _caller = new()
    {
        Subject = "u-1",
        Kind = CallerKind.Token,
        Scopes = System.Collections.Frozen.FrozenSet.ToFrozenSet(["api"]),
    };

    public string? Challenge => null;

    public ValueTask<CallerResult> Resolve(HttpContext context) =>
        new(context.Request.Headers.ContainsKey("X-Nobody") ? CallerResult.None : CallerResult.Ok(_caller));
}

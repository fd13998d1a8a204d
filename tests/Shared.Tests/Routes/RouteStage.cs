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

/// <summary>
/// A gateway that authenticates every request as the same caller, in front of a service of the test, the upstream <c>stub</c>.
/// </summary>
internal sealed class RouteStage : IAsyncDisposable
{
    private RouteStage(TestHost service, TestHost gateway) => (Service, Gateway) = (service, gateway);

    public TestHost Service { get; }

    public TestHost Gateway { get; }

    /// <param name="serve">The service's handler.</param>
    /// <param name="settings">Returns the gateway's settings for the service's address. <c>Upstreams:stub:Address</c> is added.</param>
    /// <param name="time">The gateway's clock, or null for the system clock.</param>
    /// <param name="server">Configures the service's server.</param>
    /// <param name="places">Adds middleware to the gateway.</param>
    /// <param name="hasOwn">Whether the host has an endpoint <c>/own</c> that forwards to the service.</param>
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

    /// <summary>Starts only the gateway, in front of a service that need not be a server.</summary>
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
                builder.Services.AddSingleton<ICallerSource, FixedCaller>();
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

    /// <summary>
    /// Returns the number of upstream places that the gateway's calls hold. A call frees its place only after its answer has ended.
    /// </summary>
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

/// <summary>Authenticates every request as the same caller, except requests with the header <c>X-Nobody</c>.</summary>
internal sealed class FixedCaller : ICallerSource
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

    CallerToken ICallerSource.TokenOf(HttpContext context) =>
        context.Request.Headers.ContainsKey("X-Token") ? CallerToken.Of("of-somebody") : default;
}

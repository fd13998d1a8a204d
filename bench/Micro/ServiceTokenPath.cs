using BenchmarkDotNet.Attributes;
using Bff.Concurrency;
using Bff.Requests;
using Bff.Upstreams;
using Bff.Upstreams.Tokens;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Benchmarks;

/// <summary>Measures what a stored token adds to a call.</summary>
#pragma warning disable CA1001 // GlobalCleanup disposes of it.
public class ServiceTokenPath
#pragma warning restore CA1001
{
    private readonly TokenOptions _ofCaller = new() { Mode = TokenMode.Caller };
    private readonly TokenOptions _ofClient = new() { Mode = TokenMode.Client, Scope = "orders" };
    private readonly TokenOptions _exchanged = new() { Mode = TokenMode.Exchange, Audience = "orders" };
    private readonly HttpRequestMessage _request = new(HttpMethod.Get, "http://service/");
    private WebApplication _server = null!,
        _gateway = null!;
    private ServiceTokens _tokens = null!;
    private BffRequest _origin = null!;
    private Deadline _deadline;

    /// <summary>Starts a token endpoint and obtains one token of each kind.</summary>
    [GlobalSetup]
    public async Task Start()
    {
        var server = WebApplication.CreateBuilder();
        server.Logging.ClearProviders();
        server.WebHost.UseUrls("http://127.0.0.1:0");
        _server = server.Build();
        _server.MapPost(
            "/token",
            () => Results.Text("""{"access_token":"granted","token_type":"Bearer","expires_in":360000}""", "application/json")
        );
        await _server.StartAsync();

        var gateway = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Testing" });
        gateway.Logging.ClearProviders();
        gateway.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                ["Clients:default:TokenEndpoint"] = _server.Urls.First() + "/token",
                ["Clients:default:RequireHttpsMetadata"] = "false",
                ["Clients:default:ClientId"] = "gateway",
                ["Clients:default:ClientSecret"] = "secret",
            }
        );
        gateway.AddBffDefaults();
        _gateway = gateway.Build();
        _tokens = _gateway.Services.GetRequiredService<ServiceTokens>();
        _origin = new BffRequest
        {
            RequestId = "bench",
            CorrelationId = "bench",
            StartTimestamp = 0,
            Token = CallerToken.OfHeader("Bearer " + new string('t', 1200)),
        };
        _deadline = new(long.MaxValue / 2);
        foreach (var options in (TokenOptions[])[_ofClient, _exchanged])
        {
            var subject = options == _exchanged ? _origin.Token : default;
            _ =
                (await _tokens.Of(options)!.Get(subject, Deadline.In(TimeSpan.FromSeconds(30), TimeProvider.System), null, default)).Token
                ?? throw new InvalidOperationException("There is no token.");
        }
    }

    /// <summary>Stops both.</summary>
    [GlobalCleanup]
    public async Task Stop()
    {
        await _gateway.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>Uses the caller's own token.</summary>
    [Benchmark]
    public bool Caller()
    {
        if (ServiceToken.Choose(_origin, _ofCaller) == TokenChoice.Caller)
        {
            ServiceToken.Set(_request, _origin.Token.Authorization);
        }

        return true;
    }

    /// <summary>Uses the gateway's own token.</summary>
    [Benchmark]
    public bool Client() => Kept(_ofClient, default);

    /// <summary>Uses a token that the caller's was exchanged for.</summary>
    [Benchmark]
    public bool Exchange() => Kept(_exchanged, _origin.Token);

    private bool Kept(TokenOptions options, CallerToken subject)
    {
        _ = ServiceToken.Choose(_origin, options);
        var getting = _tokens.Of(options)!.Get(subject, _deadline, null, default);
        if (!getting.IsCompletedSuccessfully)
        {
            return false;
        }

        ServiceToken.Set(_request, getting.Result.Token!.Authorization);
        return true;
    }
}

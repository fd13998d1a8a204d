using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Bff.Concurrency;
using Bff.Configuration;
using Bff.Requests;
using Bff.TestKit;
using Bff.Upstreams;
using Bff.Upstreams.Discovery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ServiceDiscovery;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams.Discovery;

/// <summary>A service moves from one address of its name to another while it is being called.</summary>
public sealed class MovingServiceTests : IAsyncLifetime, IDisposable
{
    private static readonly IPAddress One = IPAddress.Parse("127.0.0.1");
    private static readonly IPAddress Other = IPAddress.Parse("127.0.0.2");

    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _log = new();
    private readonly ConcurrentQueue<(IPAddress At, string Host)> _asked = new();
    private readonly ServiceProvider _none = new ServiceCollection()
        .AddLogging()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
        .AddServiceDiscoveryCore()
        .AddConfigurationServiceEndpointProvider()
        .BuildServiceProvider();
    private readonly LoggerFactory _logging = new();
    private TaskCompletionSource? _held;
    private volatile Func<IPAddress[]> _dns = () => [One];
    private WebApplication _service = null!;
    private UpstreamRegistry _registry = null!;
    private UpstreamClient _client = null!;
    private int _port;

    public async Task InitializeAsync()
    {
        _port = PortOfBoth();
        _logging.AddProvider(_log);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _service = builder.Build();
        _service.Urls.Add($"http://{One}:{_port}");
        _service.Urls.Add($"http://{Other}:{_port}");
        _service.MapGet(
            "/where",
            async (HttpContext context) =>
            {
                _asked.Enqueue((context.Connection.LocalIpAddress!.MapToIPv4(), context.Request.Host.Value!));
                await (_held?.Task ?? Task.CompletedTask);
                return Results.Json(context.Connection.LocalIpAddress!.ToString());
            }
        );
        await _service.StartAsync();

        var names = new ServiceNames(
            new(_none.GetRequiredService<ServiceEndpointResolver>),
            (_, _) => Task.FromResult(_dns()),
            (_, _) => throw new NotSupportedException()
        );
        _registry = new UpstreamRegistry(_time, _logging.CreateLogger<UpstreamLog>(), names);
        var mistakes = new ConfigurationMistakes();
        _registry.Apply(
            UpstreamRegistry.Parse(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(
                        new Dictionary<string, string?>
                        {
                            ["Upstreams:moving:Address"] = $"http://moving.test:{_port}",
                            ["Upstreams:moving:Retries"] = "0",
                            ["Upstreams:moving:Timeout"] = "00:00:30",
                        }
                    )
                    .Build(),
                mistakes
            )
        );
        Assert.Empty(mistakes.All);
        _client = new UpstreamClient("moving", new UpstreamSender(_registry));
    }

    public async Task DisposeAsync()
    {
        await _service.DisposeAsync();
        await _none.DisposeAsync();
    }

    public void Dispose()
    {
        _registry.Dispose();
        _logging.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task No_call_fails_and_none_goes_to_the_old_address_after_the_look_up()
    {
        using var stop = new CancellationTokenSource();
        var outcomes = new ConcurrentQueue<UpstreamOutcome>();
        var load = Enumerable
            .Range(0, 4)
            .Select(_ =>
                Task.Run(async () =>
                {
                    while (!stop.IsCancellationRequested)
                    {
                        outcomes.Enqueue((await Ask()).Outcome);
                    }
                })
            )
            .ToList();
        await Eventually.True(() => outcomes.Count > 50);

        _dns = () => [Other];
        await Changed(times: 2);
        await Eventually.True(() => _asked.Any(a => a.At.Equals(Other)));
        await stop.CancelAsync();
        await Task.WhenAll(load);
        _asked.Clear();
        for (var i = 0; i < 20; i++)
        {
            outcomes.Enqueue((await Ask()).Outcome);
        }

        Assert.All(outcomes, outcome => Assert.Equal(UpstreamOutcome.Ok, outcome));
        Assert.All(_asked, asked => Assert.Equal((Other, $"moving.test:{_port}"), asked));
    }

    [Fact]
    public async Task A_call_that_is_under_way_at_the_old_address_is_not_cut()
    {
        _held = new();
        var under = Ask();
        await Eventually.True(() => !_asked.IsEmpty);
        _dns = () => [Other];
        await Changed(times: 2);
        _held.SetResult();

        Assert.Equal((UpstreamOutcome.Ok, "127.0.0.1"), ((await under).Outcome, (await under).Value.GetString()));
    }

    [Fact]
    public async Task Calls_are_spread_over_all_addresses()
    {
        _dns = () => [One, Other];
        for (var i = 0; i < 100; i++)
        {
            await Ask();
        }

        Assert.Equal(2, _asked.Select(a => a.At).Distinct().Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Known_addresses_stay_while_DNS_returns_none(bool throws)
    {
        await Ask();
        _dns = () => throws ? throw new SocketException((int)SocketError.TryAgain) : [];
        await Told("NameUnresolved", times: 1);

        Assert.Equal(UpstreamOutcome.Ok, (await Ask()).Outcome);
    }

    [Fact]
    public async Task A_service_is_unavailable_until_its_name_is_resolved()
    {
        _dns = () => throw new SocketException((int)SocketError.HostNotFound);
        Assert.Equal(UpstreamOutcome.Unavailable, (await Ask()).Outcome);

        _dns = () => [One];
        await Changed(times: 1);

        Assert.Equal(UpstreamOutcome.Ok, (await Ask()).Outcome);
    }

    private Task<UpstreamAnswer<System.Text.Json.JsonElement>> Ask() =>
        _client.Get("where", Any, new CallContext(Request(), Deadline.In(TimeSpan.FromMinutes(1), _time), default)).AsTask();

    private Task<TimeSpan> Changed(int times) => Told("AddressesChanged", times);

    /// <summary>Advances the clock until <paramref name="name"/> has been logged <paramref name="times"/> times.</summary>
    private Task<TimeSpan> Told(string name, int times) =>
        Eventually.True(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return _log.Entries.Count(e => e.Event.Name == name) >= times;
        });

    /// <summary>Returns a port that is free at both addresses.</summary>
    private static int PortOfBoth()
    {
        while (true)
        {
            using var one = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            one.Bind(new IPEndPoint(One, 0));
            try
            {
                var port = ((IPEndPoint)one.LocalEndPoint!).Port;
                other.Bind(new IPEndPoint(Other, port));
                return port;
            }
            catch (SocketException)
            {
                // The port is taken at the other address, so another one is tried.
            }
        }
    }
}

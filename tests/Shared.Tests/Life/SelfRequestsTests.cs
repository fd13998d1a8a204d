using Bff.Life;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Life;

/// <summary>
/// Tests how a host finds its own address, which name it uses for itself, and what it logs when a request to itself fails.
/// </summary>
public sealed class SelfRequestsTests : IDisposable
{
    private readonly TestAuthority _authority = new();
    private readonly string _socket = Path.Combine(Path.GetTempPath(), $"bff-{Guid.NewGuid():N}.sock");

    public void Dispose() => _authority.Dispose();

    [Theory]
    [InlineData("http://[::1]:8080", "http://[::1]:8080/")]
    [InlineData("http://[::]:8080", "http://[::1]:8080/")]
    [InlineData("http://[fd00::7]:8080", "http://[fd00::7]:8080/")]
    [InlineData("http://0.0.0.0:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://10.0.0.7:8080", "http://10.0.0.7:8080/")]
    [InlineData("http://*:8080", "http://localhost:8080/")]
    [InlineData("http://localhost:8080", "http://localhost:8080/")]
    [InlineData("https://[::]:8443", "https://127.0.0.1:1/")]
    public void A_host_calls_itself_at_a_listening_address_and_prefers_plain_HTTP(string listens, string asked) =>
        Assert.Equal(asked, SelfAddress.Of(["https://127.0.0.1:1", listens])?.Uri.AbsoluteUri);

    [Theory]
    [InlineData("", null)]
    [InlineData("api.example.com;other.example.com", "api.example.com")]
    [InlineData("*.example.com", "warm-up.example.com")]
    public void A_host_calls_itself_by_an_allowed_host_name(string allowed, string? host) =>
        Assert.Equal(host, SelfRequests.Host(allowed.Split(';', StringSplitOptions.RemoveEmptyEntries)));

    [Theory]
    [InlineData("http://127.0.0.1:0", "api.example.com")]
    [InlineData("http://[::1]:0", "api.example.com")]
    [InlineData("http://[::]:0", "*.example.com")]
    [InlineData("https://127.0.0.1:0", "api.example.com")]
    [InlineData("https://[::]:0", "*")]
    [InlineData("unix", "api.example.com")]
    public async Task A_host_warms_up_at_any_listening_address_and_with_any_allowed_hosts(string listens, string allowed)
    {
        var answers = new List<int>();
        await using var host = await Start(listens, allowed, (context, next) => Note(answers, context, next));

        await Warm(host);

        Assert.Equal((200, 200), (answers.Count, answers.Distinct().Single()));
        Assert.DoesNotContain(
            host.Log.Entries,
            e => e.Level >= LogLevel.Warning && e.Message.Contains("warm", StringComparison.OrdinalIgnoreCase)
        );
    }

    [Fact]
    public async Task An_unexpected_answer_to_a_warm_up_request_is_logged_as_an_error()
    {
        await using var host = await Start(
            "http://127.0.0.1:0",
            "api.example.com",
            (context, _) =>
            {
                context.Response.StatusCode = StatusCodes.Status418ImATeapot;
                return Task.CompletedTask;
            }
        );

        await Warm(host);

        var said = Assert.Single(host.Log.Entries, e => e.Level == LogLevel.Error);
        Assert.Contains("/health/live to host api.example.com was answered with 418", said.Message, StringComparison.Ordinal);
    }

    private static Task Warm(TestHost host) =>
        ((IWarmup)ActivatorUtilities.CreateInstance<SelfRequests>(host.Services)).Warm(CancellationToken.None);

    private static async Task Note(List<int> answers, HttpContext context, RequestDelegate next)
    {
        await next(context);
        lock (answers)
        {
            answers.Add(context.Response.StatusCode);
        }
    }

    private Task<TestHost> Start(string listens, string allowed, Func<HttpContext, RequestDelegate, Task> first)
    {
        var certificate = _authority.Issue("host");
        var settings = new Dictionary<string, string?>
        {
            ["AllowedHosts"] = allowed,
            ["Kestrel:Endpoints:Http:Url"] = listens == "unix" ? "http://unix:" + _socket : listens,
        };
        if (listens.StartsWith("https", StringComparison.Ordinal))
        {
            settings["Kestrel:Endpoints:Http:Certificate:Path"] = certificate.CertificateFile;
            settings["Kestrel:Endpoints:Http:Certificate:KeyPath"] = certificate.KeyFile;
        }

        return TestHost.Start(
            builder => builder.AddBffDefaults(),
            app =>
            {
                app.Use(next => context => first(context, next));
                app.UseBffPipeline();
            },
            settings
        );
    }
}

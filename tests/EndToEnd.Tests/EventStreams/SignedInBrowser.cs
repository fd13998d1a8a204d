using System.Net;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.EventStreams;

/// <summary>A browser with a session of the web gateway that works with every instance.</summary>
internal sealed class SignedInBrowser : IDisposable
{
    private readonly HttpClient _http;

    private SignedInBrowser(LeakSentinel leaks) =>
        _http = new(new LeakSentinelHandler(leaks, new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }))
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };

    public static async Task<SignedInBrowser> SignIn(GatewayProcess gateway, Surroundings surroundings)
    {
        var browser = new SignedInBrowser(surroundings.Leaks);
        using var login = await browser._http.GetAsync(new Uri(gateway.Address, "/bff/login?returnUrl=/"));
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("user", "alice")]);
        using var chosen = await browser._http.PostAsync(
            surroundings.Identity.Authority + "/sign-in" + login.Headers.Location!.Query,
            form
        );
        using var back = await browser._http.GetAsync(chosen.Headers.Location);
        Assert.Equal((HttpStatusCode.Found, "/"), (back.StatusCode, back.Headers.Location!.OriginalString));
        return browser;
    }

    /// <summary>Opens the events as an EventSource does, after the given last event.</summary>
    public async Task<EventSource> Open(GatewayProcess gateway, string? lastEventId)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.Address, "/api/events"));
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return new EventSource(answer, await answer.Content.ReadAsStreamAsync(), lastEventId);
    }

    public void Dispose() => _http.Dispose();
}

using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.WebUtilities;

namespace WebBff.Tests;

/// <summary>A browser that keeps cookies (for all ports, as real browsers do) and follows redirects only when told to.</summary>
public sealed class Browser : IDisposable
{
    private readonly string _provider;
    private HttpClient? _http;

    public Browser(WebHost host, string provider)
    {
        _provider = provider;
        GoTo(host);
    }

    public Uri Gateway => Host.Address;

    public WebHost Host { get; private set; }

    public CookieContainer Cookies { get; } = new();

    public string? Session
    {
        get => Cookies.GetCookies(Gateway)["bff"]?.Value;
        set => Cookies.Add(Gateway, new Cookie("bff", value, "/"));
    }

    /// <summary>Sends all further requests to this instance.</summary>
    [MemberNotNull(nameof(Host))]
    public void GoTo(WebHost host)
    {
        Host = host;
        _http?.Dispose();
        _http = host.NewClient(host.Address, NewHandler());
        _http.Timeout = TimeSpan.FromSeconds(90);
    }

    public SocketsHttpHandler NewHandler() =>
        new()
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            CookieContainer = Cookies,
        };

    public Task<HttpResponseMessage> Send(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, new Uri(Gateway, path));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return _http!.SendAsync(request);
    }

    public Task<HttpResponseMessage> Send(
        HttpRequestMessage request,
        HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead
    ) => _http!.SendAsync(request, completion);

    /// <summary>Sends a request as a page of the app does.</summary>
    public Task<HttpResponseMessage> Get(string path) => Send(HttpMethod.Get, path, ("X-CSRF", "1"), ("Sec-Fetch-Site", "same-origin"));

    public async Task<JsonObject> User()
    {
        using var answer = await Get("/bff/user");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
    }

    /// <summary>Begins a sign-in and returns the query of the provider's sign-in page.</summary>
    public async Task<string> Begin(string returnUrl = "/")
    {
        using var answer = await Send(HttpMethod.Get, "/bff/login?returnUrl=" + Uri.EscapeDataString(returnUrl));
        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        Assert.StartsWith(_provider + "/authorize?", answer.Headers.Location!.OriginalString, StringComparison.Ordinal);
        return answer.Headers.Location.Query;
    }

    /// <summary>Chooses a user on the sign-in page and returns the address to which the provider sends the browser back.</summary>
    public async Task<Uri> Choose(string query, string user)
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("user", user)]);
        using var answer = await _http!.PostAsync(_provider + "/sign-in" + query, form);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return answer.Headers.Location!;
    }

    public Task<HttpResponseMessage> Follow(Uri address) => _http!.GetAsync(address);

    public async Task<HttpResponseMessage> TrySignIn(string user = "alice", string returnUrl = "/") =>
        await Follow(await Choose(await Begin(returnUrl), user));

    public async Task SignIn(string user = "alice", string returnUrl = "/")
    {
        using var answer = await TrySignIn(user, returnUrl);
        Assert.True(answer.StatusCode == HttpStatusCode.Found, await answer.Content.ReadAsStringAsync());
        Assert.Equal(returnUrl, answer.Headers.Location!.OriginalString);
        Assert.NotNull(Session);
    }

    public static Uri With(Uri address, string name, string? value)
    {
        var query = QueryHelpers.ParseQuery(address.Query).ToDictionary(p => p.Key, p => (string?)p.Value);
        query[name] = value;
        return new Uri(QueryHelpers.AddQueryString(address.GetLeftPart(UriPartial.Path), query.Where(p => p.Value is not null)));
    }

    public void Dispose() => _http?.Dispose();
}

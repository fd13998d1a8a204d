using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using PartnerBff.Requests;

namespace PartnerBff.Tests.Portal;

/// <summary>People at the portal, by plain requests as a browser sends them or in a real browser.</summary>
public abstract partial class PortalTest(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    protected PartnerHost StartPortal(
        Dictionary<string, string?>? settings = null,
        RedisServer? redis = null,
        ManualTimeProvider? clock = null
    ) =>
        Start(
            new Dictionary<string, string?> { ["Session:Authority"] = Surroundings.Identity.Authority }
                .With(settings)
                .WithPlans("anonymous"),
            redis,
            clock is null ? null : services => services.AddSingleton<TimeProvider>(clock)
        );

    /// <summary>Creates a clock that the test moves and the provider uses until the test ends.</summary>
    protected ManualTimeProvider NewClock()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        Surroundings.Identity.Options.Time = clock;
        return clock;
    }

    /// <summary>Signs a user in without a browser: no scripts, but cookies are kept.</summary>
    protected async Task<Person> SignedIn(PartnerHost host, string user = "carol")
    {
        var person = new Person(host);
        using var first = await person.Get("/portal/login?returnUrl=%2Fportal");
        Assert.Equal(HttpStatusCode.Redirect, first.StatusCode);
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("user", user)]);
        using var chosen = await person.Http.PostAsync(Surroundings.Identity.Authority + "/sign-in" + first.Headers.Location!.Query, form);
        Assert.Equal(HttpStatusCode.SeeOther, chosen.StatusCode);
        using var back = await person.Http.GetAsync(chosen.Headers.Location);
        Assert.Equal("/portal", back.Headers.Location!.OriginalString);
        return person;
    }

    /// <summary>Waits until the tenant's requests are logged and counted, which may happen after their answers have arrived.</summary>
    protected static Task WaitForRequests(PartnerHost host, string tenant, int requests) =>
        Eventually.True(
            async () => (await host.Services.GetRequiredService<RequestLog>().Read(tenant, default)).Count == requests,
            WaitLimit
        );

    protected static async Task<string> Page(HttpResponseMessage response, int status = 200)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        return text;
    }

    /// <summary>Returns all matches of the pattern's group, in the order of the page.</summary>
    protected static List<string> All(string page, string pattern) => [.. Regex.Matches(page, pattern).Select(m => m.Groups[1].Value)];

    protected sealed partial class Person(PartnerHost host)
    {
        public HttpClient Http { get; } =
            host.NewClient(
                host.Address,
                new SocketsHttpHandler
                {
                    AllowAutoRedirect = false,
                    UseProxy = false,
                    CookieContainer = new(),
                }
            );

        public Task<HttpResponseMessage> Get(string path) => Http.GetAsync(path);

        /// <summary>Requests a page as a browser does for a typed address or a link.</summary>
        public async Task<HttpResponseMessage> Open(string path)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
            return await Http.SendAsync(request);
        }

        public async Task<string> Token() => FormToken().Match(await Page(await Get("/portal/keys/new"))).Groups[1].Value;

        public async Task<HttpResponseMessage> Post(string path, string? token, params (string Name, string Value)[] fields)
        {
            var all = fields.Select(f => KeyValuePair.Create(f.Name, f.Value));
            using var form = new FormUrlEncodedContent(
                token is null ? all : all.Append(KeyValuePair.Create("__RequestVerificationToken", token))
            );
            return await Http.PostAsync(path, form);
        }

        [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
        private static partial Regex FormToken();
    }
}

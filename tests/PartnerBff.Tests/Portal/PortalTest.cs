using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using PartnerBff.Requests;

namespace PartnerBff.Tests.Portal;

/// <summary>People at the portal: with a browser's manners and without a browser, or in a real one.</summary>
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

    /// <summary>A clock that the test moves and that the provider goes by until the test ends.</summary>
    protected ManualTimeProvider NewClock()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        Surroundings.Identity.Options.Time = clock;
        return clock;
    }

    /// <summary>Somebody who has signed in; no scripts, cookies kept.</summary>
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

    /// <summary>The tenant's requests are noted, and counted, which may be after their answers have arrived.</summary>
    protected static Task Noted(PartnerHost host, string tenant, int requests) =>
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

    /// <summary>What the pattern's group stands for, wherever the page has it, in the page's order.</summary>
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

        /// <summary>As a browser asks for what is typed into it or followed.</summary>
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

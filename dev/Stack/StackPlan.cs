namespace Bff.Dev.Stack;

/// <summary>One process of the stack.</summary>
/// <param name="Name">Name for display.</param>
/// <param name="Project">Project folder in the repository.</param>
/// <param name="Arguments">Command line arguments.</param>
/// <param name="Environment">Environment variables, in addition to those of this program.</param>
/// <param name="Ready">Address that answers 200 when the process serves.</param>
internal sealed record StackProcess(
    string Name,
    string Project,
    string[] Arguments,
    IReadOnlyDictionary<string, string?> Environment,
    Uri Ready
);

/// <summary>Processes and addresses: the one list that both the stack and the AppHost start.</summary>
internal static class StackPlan
{
    public const string Mobile = "http://127.0.0.1:8081",
        Web = "http://127.0.0.1:8082",
        Partner = "http://127.0.0.1:8083";
    public const string IdentityProvider = "http://127.0.0.1:9000";
    public const string SampleServices = "sample services",
        Sandbox = "sandbox services",
        Identity = "identity provider";
    private const int FirstPort = 9001,
        FirstSandboxPort = 9101;

    /// <summary>The sample services, in the order of their ports from 9001.</summary>
    public static readonly string[] Services =
    [
        "users",
        "orders",
        "products",
        "catalog",
        "reviews",
        "inventory",
        "pricing",
        "recommendations",
        "notifications",
        "shipping",
        "search",
        "media",
    ];

    /// <summary>All ports that are listened on.</summary>
    public static IEnumerable<int> Ports =>
        [8081, 8082, 8083, 9000, .. Enumerable.Range(FirstPort, Services.Length), .. Enumerable.Range(FirstSandboxPort, Services.Length)];

    /// <summary>Returns the address of a sample service.</summary>
    public static Uri Address(string service) => At(FirstPort, service);

    /// <summary>Returns the processes in the order in which to start them: the gateways need the others.</summary>
    /// <param name="redis">Address of Redis; null to keep state in each process.</param>
    /// <param name="serviceTokens">Whether the sample services accept only tokens that are meant for them.</param>
    /// <param name="apiKey">A live API key of the tenant acme.</param>
    public static IReadOnlyList<StackProcess> Processes(string? redis, bool serviceTokens, string apiKey) =>
        [
            new(
                SampleServices,
                "dev/Upstreams",
                ["--base-port", $"{FirstPort}", .. serviceTokens ? (string[])["--token-authority", IdentityProvider] : []],
                Development(),
                new(Address("media"), "/__calls")
            ),
            new(
                Identity,
                "dev/IdentityProvider",
                [],
                Development(("IdentityProvider__Port", "9000")),
                new(IdentityProvider + "/.well-known/openid-configuration")
            ),
            new(
                Sandbox,
                "dev/Upstreams",
                ["--base-port", $"{FirstSandboxPort}"],
                Development(),
                new(At(FirstSandboxPort, "media"), "/__calls")
            ),
            Host("MobileBff", Mobile, redis, serviceTokens),
            // The app requests the user before anybody has signed in.
            Host("WebBff", Web, redis, serviceTokens, ("Session__AnonymousUser", "Null")),
            // Test keys see nothing live, so they have sample services of their own, on the live ones' ports plus a hundred.
            Host(
                "PartnerBff",
                Partner,
                redis,
                serviceTokens,
                [
                    ("ApiKeys__Bootstrap__acme", apiKey),
                    .. Services.Select(s => ($"Sandbox__Upstreams__{s}__Address", At(FirstSandboxPort, s).AbsoluteUri)),
                ]
            ),
        ];

    private static Uri At(int first, string service) => new($"http://127.0.0.1:{first + Array.IndexOf(Services, service)}");

    private static StackProcess Host(
        string name,
        string address,
        string? redis,
        bool serviceTokens,
        params (string Key, string Value)[] more
    )
    {
        var settings = Development([("ASPNETCORE_ENVIRONMENT", "Development"), ("ASPNETCORE_URLS", address), .. more]);
        settings["ConnectionStrings__redis"] = redis;
        if (serviceTokens)
        {
            ServiceTokens.Add(settings, name);
        }

        return new(name, "src/" + name, [], settings, new(address + "/health/ready"));
    }

    private static Dictionary<string, string?> Development(params (string Key, string Value)[] more) =>
        more.Prepend(("DOTNET_ENVIRONMENT", "Development")).ToDictionary(s => s.Item1, s => (string?)s.Item2);
}

using System.Globalization;
using Bff.Dev.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;

namespace Bff.TestKit;

/// <summary>Settings that no slow machine and no busy test reaches; a test about a limit sets that one.</summary>
public static class Generous
{
    /// <summary>Timeout for Redis, which shares the busy machine of the tests (<c>State:Timeout</c>).</summary>
    public const string StateTimeout = "00:00:05";

    /// <summary>Timeout for a call to a service or an identity provider.</summary>
    public const string Timeout = "00:00:30";

    public static Dictionary<string, string?> Settings() =>
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["Composition:Deadline"] = "00:01:00",
            ["State:Timeout"] = StateTimeout,
            ["FailedCredentials:PerMinute"] = "1000000",
            ["FailedCredentials:Burst"] = "1000000",
            ["Authentication:Schemes:Bearer:BackchannelTimeout"] = Timeout,
        };

    /// <summary>
    /// Gives the clients of identity providers more time for what no setting limits. A read of keys that fails is repeated by the host's
    /// clock, which a test may have stopped.
    /// </summary>
    public static IServiceCollection WithPatientClients(this IServiceCollection services)
    {
        var time = TimeSpan.Parse(Timeout, CultureInfo.InvariantCulture);
        services.Configure<HttpClientFactoryOptions>("identity-provider", o => o.HttpClientActions.Add(client => client.Timeout = time));
        foreach (var name in (string[])["identity-provider", "bff-authority", "bff-token-endpoint"])
        {
            services.Configure<HttpClientFactoryOptions>(
                name,
                o => o.HttpMessageHandlerBuilderActions.Add(b => ((SocketsHttpHandler)b.PrimaryHandler).ConnectTimeout = time)
            );
        }

        return services;
    }

    /// <summary>Adds a generous timeout for every attempt at a service.</summary>
    /// <param name="settings">The settings to extend.</param>
    /// <param name="services">The services.</param>
    /// <param name="section">The section in which they are configured.</param>
    public static Dictionary<string, string?> WithAttempts(
        this Dictionary<string, string?> settings,
        SampleServices services,
        string section = "Upstreams"
    )
    {
        foreach (var service in services.All)
        {
            settings[$"{section}:{service.Name}:Timeout"] = Timeout;
        }

        return settings;
    }

    /// <summary>Adds a generous timeout for parts such as <c>home-feed:user</c>.</summary>
    public static Dictionary<string, string?> WithParts(this Dictionary<string, string?> settings, params IEnumerable<string> parts)
    {
        foreach (var part in parts)
        {
            settings[$"Composition:{part}:Timeout"] = Timeout;
        }

        return settings;
    }

    /// <summary>Adds plans that are never used up; without names, those of the mobile and web gateways.</summary>
    public static Dictionary<string, string?> WithPlans(this Dictionary<string, string?> settings, params string[] plans)
    {
        foreach (var plan in plans is [] ? ["anonymous", "free", "premium", "enterprise"] : plans)
        {
            settings[$"Plans:{plan}:RequestsPerMinute"] = "1000000";
            settings[$"Plans:{plan}:Burst"] = "100000";
        }

        return settings;
    }

    /// <summary>Adds the test's settings, which override the others.</summary>
    public static Dictionary<string, string?> With(
        this Dictionary<string, string?> settings,
        IEnumerable<KeyValuePair<string, string?>>? more
    )
    {
        foreach (var (key, value) in more ?? [])
        {
            settings[key] = value;
        }

        return settings;
    }
}

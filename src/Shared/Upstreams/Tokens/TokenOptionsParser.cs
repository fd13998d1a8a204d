using Bff.Callers.Providers;
using Bff.Configuration;
using Bff.Requests;
using Microsoft.Extensions.Configuration;

namespace Bff.Upstreams.Tokens;

/// <summary>Reads and checks <c>Upstreams:&lt;name&gt;:Token</c>.</summary>
internal static class TokenOptionsParser
{
    /// <param name="upstream">The upstream's section, including <c>ForwardAuthorization</c>, the old name of mode <c>Caller</c>.</param>
    /// <param name="mistakes">Collects the mistakes.</param>
    public static TokenOptions Parse(IConfigurationSection upstream, ConfigurationMistakes mistakes)
    {
        var section = upstream.GetSection("Token");
        var read = mistakes.Bind(section, new TokenOptions()) with
        {
            Resource = section["Resource"] is { Length: > 0 } resource ? resource : null,
        };
        if (section["Client"] is { Length: > 0 } client)
        {
            read = read with { Client = client };
        }

        if (bool.TryParse(upstream["ForwardAuthorization"], out var forward) && forward)
        {
            if (section["Mode"] is { Length: > 0 } && read.Mode != TokenMode.Caller)
            {
                mistakes.Add(section, "Mode", "contradicts ForwardAuthorization, the old name of Mode Caller. Leave one of them out.");
            }

            read = read with { Mode = TokenMode.Caller };
        }

        if (read.Resource is not null && !Uri.TryCreate(read.Resource, UriKind.Absolute, out _))
        {
            mistakes.Add(
                section,
                "Resource",
                "is not an absolute address (RFC 8707 section 2). Write one such as https://orders.example.com."
            );
        }

        var isTargeted = read.Scope is not null || read.Resource is not null || read.Audience is not null;
        switch (read.Mode)
        {
            case TokenMode.Exchange when !isTargeted:
                mistakes.Add(
                    section,
                    "Audience",
                    "is missing: an exchanged token must be for this service. Set Audience, Resource or Scope."
                );
                break;
            case TokenMode.OnBehalfOf when read.Scope is null:
                mistakes.Add(section, "Scope", "is missing: on_behalf_of names the service by its scope, such as api://orders/.default.");
                break;
            case TokenMode.None or TokenMode.Caller when isTargeted && !read.IsAsked:
                mistakes.Add(
                    section,
                    "Mode",
                    $"is {read.Mode}, so that no token is requested and Scope, Resource and Audience have no "
                        + "effect. Set Mode to Client, Exchange or OnBehalfOf."
                );
                break;
        }

        return read;
    }

    /// <summary>Checks that every registration that an upstream names exists, and supports what the upstream wants.</summary>
    public static void CheckClients(
        string section,
        IReadOnlyDictionary<string, UpstreamOptions> upstreams,
        IConfiguration configuration,
        ConfigurationMistakes mistakes
    )
    {
        foreach (
            var upstream in upstreams.Values.Where(u =>
                u.Token.IsAsked && !configuration.GetSection("Clients").GetSection(u.Token.Client).Exists()
            )
        )
        {
            mistakes.Add(
                $"{section}:{upstream.Name}:Token:Client",
                $"'{upstream.Token.Client}' is not the name of a registration under Clients. Add "
                    + $"Clients:{upstream.Token.Client}, or use the name of another one."
            );
        }

        foreach (var upstream in upstreams.Values.Where(u => u.Token.IsAsked))
        {
            if (
                !string.Equals(
                    configuration[$"Clients:{upstream.Token.Client}:Type"],
                    nameof(ProviderType.Entra),
                    StringComparison.OrdinalIgnoreCase
                )
            )
            {
                continue;
            }

            var path = $"{section}:{upstream.Name}:Token:";
            if (upstream.Token.Mode == TokenMode.Exchange)
            {
                mistakes.Add(path + "Mode", "is Exchange, which Entra does not have. Set it to OnBehalfOf.");
            }

            if (upstream.Token.Scope is null)
            {
                mistakes.Add(path + "Scope", "is missing: Entra names the service by its scope, such as api://orders/.default.");
            }

            foreach (
                var (key, value) in ((string, string?)[])[("Resource", upstream.Token.Resource), ("Audience", upstream.Token.Audience)]
            )
            {
                if (value is not null)
                {
                    mistakes.Add(path + key, "has no effect at Entra, which names the service by its scope. Remove it and set Scope.");
                }
            }
        }
    }
}

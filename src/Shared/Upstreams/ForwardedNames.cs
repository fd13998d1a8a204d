using System.Buffers;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Bff.Callers.Identity;
using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Upstreams;

/// <summary>Reads <c>Headers:Forward</c>, for routes and compositions alike.</summary>
internal static class ForwardedNames
{
    // RFC 9110 section 5.6.2.
    private static readonly SearchValues<char> Token = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    );

    private static readonly FrozenSet<string> Never = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        [
            "Authorization",
            "Proxy-Authorization",
            "Cookie",
            "X-API-Key",
            "X-CSRF", // Credentials are meant for the gateway.
            "Host",
            "Connection",
            "Keep-Alive",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Transfer-Encoding",
            "Upgrade",
            "Expect",
            "HTTP2-Settings", // These belong to the connection.
            "Proxy",
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Real-IP",
            "X-Request-Id",
            "X-Correlation-Id",
            "traceparent",
            "tracestate",
            "baggage", // The gateway sets these itself.
        ]
    );

    /// <summary>Whether the text is a valid name of a header.</summary>
    public static bool IsName([NotNullWhen(true)] string? name) => name is { Length: > 0 } && !name.AsSpan().ContainsAnyExcept(Token);

    /// <summary>Returns the names; adds a mistake for each that may not be forwarded.</summary>
    public static IEnumerable<string> Read(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        foreach (var section in configuration.GetSection("Headers:Forward").GetChildren())
        {
            if (
                section.Value is { } name
                && IsName(name)
                && !IdentityHeaders.IsReserved(name)
                && !Never.Contains(name.Replace('_', '-')) // Many servers treat the two characters alike.
                && !name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase)
            )
            {
                yield return name;
            }
            else
            {
                mistakes.Add(
                    section.Path,
                    $"'{section.Value}' may not be forwarded. Name a header that carries no credential, is not "
                        + "a connection header and is not set by the gateway itself."
                );
            }
        }
    }
}

using System.Buffers;
using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Bff.Configuration;
using Bff.Edge;
using Bff.Requests;
using Microsoft.Extensions.Configuration;

namespace Bff.Upstreams;

/// <summary>
/// What the services that a composition asks are told of the client's headers: its <c>Accept-Language</c>, and what <c>Headers:Forward</c>
/// names.
/// 1. An answer for the caller alone is asked for with all of them, and kept apart by all of them. 2. An answer that is kept for others is
/// asked for with those alone that its service's <c>VaryBy</c> names, and kept apart by these: what its service was not told cannot have
/// changed it.
/// </summary>
internal sealed class ClientHeaders
{
    /// <summary>A longer value is left out: a service that refuses a head for its size would answer none of the parts.</summary>
    public const int LongestValue = 1024;

    private const int LongestPlain = 200;
    private static readonly SearchValues<char> Plain = SearchValues.Create([
        .. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c),
        '\t',
    ]);

    // They speak of the client's own exchange with the gateway: a part of a document, or none because the client has it, is nothing to
    // compose of.
    private static readonly FrozenSet<string> OfTheExchange = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        [
            "Accept",
            "Accept-Charset",
            "Accept-Encoding",
            "Range",
            "If-Range",
            "If-Match",
            "If-None-Match",
            "If-Modified-Since",
            "If-Unmodified-Since",
            "Cache-Control",
            "Pragma",
            "Idempotency-Key",
            "Prefer",
            "Origin",
        ]
    );

    private readonly string[] _names;

    private ClientHeaders(IEnumerable<string> names)
    {
        _names = [.. names.Distinct(StringComparer.OrdinalIgnoreCase)];
        Vary = string.Join(", ", _names);
    }

    /// <summary>Where nothing is configured, as in a test without a host.</summary>
    public static ClientHeaders None { get; } = new([]);

    /// <summary>What an answer of a composition may vary by, as <c>Vary</c> has it.</summary>
    public string Vary { get; }

    /// <summary>What may not be forwarded is reported by the stage of the routes.</summary>
    public static ClientHeaders Parse(IConfiguration configuration) =>
        new(ForwardedNames.Read(configuration, new ConfigurationMistakes()).Where(IsToldOf).Prepend("Accept-Language"));

    public bool Contains(string name) => _names.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Those that the request has, kept with it: they outlive its connection. What is not plain ASCII cannot be sent on.</summary>
    public KeyValuePair<string, string>[] Of(BffRequest request)
    {
        if (request.ClientHeaders is { } known)
        {
            return known;
        }

        List<KeyValuePair<string, string>>? found = null;
        if (request.HttpContext?.Request.Headers is { } headers)
        {
            foreach (var name in _names)
            {
                if (
                    headers.TryGetValue(name, out var values)
                    && values.ToString() is { Length: > 0 and <= LongestValue } value
                    && !value.AsSpan().ContainsAnyExcept(Plain)
                    && !ConnectionOptions.Name(headers.Connection, name)
                )
                {
                    (found ??= []).Add(new(name, value));
                }
            }
        }

        return request.ClientHeaders = found is null ? [] : [.. found];
    }

    /// <summary>Those of the headers that are named.</summary>
    public static KeyValuePair<string, string>[] Only(KeyValuePair<string, string>[] headers, IReadOnlyCollection<string> names) =>
        headers.Length == 0 || names.Count == 0 ? [] : Array.FindAll(headers, h => names.Contains(h.Key, StringComparer.OrdinalIgnoreCase));

    /// <summary>
    /// What keeps an answer apart from those that were asked for with other headers, or of other services (canaries); bounded, whatever the
    /// client writes. Null without any.
    /// </summary>
    public static string? Variant(KeyValuePair<string, string>[] headers, string[] canaries)
    {
        if (headers.Length == 0 && canaries.Length == 0)
        {
            return null;
        }

        var text = new StringBuilder();
        foreach (var (name, value) in headers)
        {
            text.Append(name.ToLowerInvariant()).Append(':').Append(value.Length).Append(':').Append(value).Append('\n');
        }

        foreach (var name in canaries)
        {
            text.Append("canary ").Append(name).Append('\n'); // No header's name has a space.
        }

        return text.Length <= LongestPlain
            ? text.ToString()
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static bool IsToldOf(string name) =>
        !OfTheExchange.Contains(name)
        && !name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase)
        && !name.StartsWith("Sec-WebSocket-", StringComparison.OrdinalIgnoreCase);
}

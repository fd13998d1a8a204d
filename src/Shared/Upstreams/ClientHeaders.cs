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
/// Selects the client's headers that the services of a composition get: <c>Accept-Language</c> and those in <c>Headers:Forward</c>.
/// 1. The call for an answer for the caller alone sends all of them, and all are part of its key. 2. The call for an answer that is cached
/// for others sends only those in the service's <c>VaryBy</c>, and only these are part of its key: a header that the service did not get
/// cannot have changed the answer.
/// </summary>
internal sealed class ClientHeaders
{
    /// <summary>
    /// Maximum length of a value. A longer one is left out, because a service that rejects a large head would fail every part.
    /// </summary>
    public const int LongestValue = 1024;

    private const int LongestPlain = 200;
    private static readonly SearchValues<char> Plain = SearchValues.Create([
        .. Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c),
        '\t',
    ]);

    // These headers concern the client's exchange with the gateway: a range of a document, or a 304 without one, cannot be composed.
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

    /// <summary>An instance without headers, for use without configuration, as in a test without a host.</summary>
    public static ClientHeaders None { get; } = new([]);

    /// <summary>Value of <c>Vary</c> for composed answers.</summary>
    public string Vary { get; }

    /// <summary>Reads the names. Names that may not be forwarded are reported by the routes.</summary>
    public static ClientHeaders Parse(IConfiguration configuration) =>
        new(ForwardedNames.Read(configuration, new ConfigurationMistakes()).Where(IsToldOf).Prepend("Accept-Language"));

    public bool Contains(string name) => _names.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Returns the request's values and keeps them with it, because they outlive its connection. Only plain ASCII can be forwarded.
    /// </summary>
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

    /// <summary>Returns the headers with the given names.</summary>
    public static KeyValuePair<string, string>[] Only(KeyValuePair<string, string>[] headers, IReadOnlyCollection<string> names) =>
        headers.Length == 0 || names.Count == 0 ? [] : Array.FindAll(headers, h => names.Contains(h.Key, StringComparer.OrdinalIgnoreCase));

    /// <summary>
    /// Returns a key that separates an answer from those for other headers or from other services (canaries). Its length is bounded,
    /// whatever the client sends. Null without headers and canaries.
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
            text.Append("canary ").Append(name).Append('\n'); // The name of a header has no space, so the two cannot be confused.
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

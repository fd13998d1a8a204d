using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers.Identity;

/// <summary>The headers that tell services who is calling. Only the gateway may set them.</summary>
public static class IdentityHeaders
{
    private static readonly FrozenSet<string> Names = new[]
    {
        "X-User-Id",
        "X-User-Email",
        "X-User-Roles",
        "X-OAuth-Scopes",
        "X-Tenant-Id",
        "X-Client-Id",
        "X-Identity-Token",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly SearchValues<char> Plain = SearchValues.Create([.. PrintableAscii().Where(c => c != '%')]);
    private static readonly SearchValues<char> PlainInList = SearchValues.Create([.. PrintableAscii().Where(c => c is not ('%' or ','))]);

    /// <summary>Whether an identity header has this name, in any case and with <c>_</c> for <c>-</c>, as many servers read it.</summary>
    public static bool IsReserved(string name)
    {
        if (name.Length is < 9 or > 16 || name[0] is not ('X' or 'x'))
        {
            return false;
        }

        return Names.Contains(name.Contains('_', StringComparison.Ordinal) ? name.Replace('_', '-') : name);
    }

    /// <summary>Returns the caller's headers, computed once per caller; empty when anonymous. Values are printable ASCII.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Of(Caller caller) => Known(caller);

    /// <inheritdoc cref="Of"/>
    internal static KeyValuePair<string, string>[] Known(Caller caller) => caller.IdentityHeaders ??= Compute(caller);

    /// <summary>Replaces all identity headers of the outgoing request with those of the request's caller.</summary>
    /// <param name="outgoing">The request to an upstream. Call this after everything else that writes headers, so that nothing can remove
    /// these.</param>
    /// <param name="request">The request that is being served.</param>
    public static void Apply(HttpRequestMessage outgoing, BffRequest request)
    {
        foreach (var name in Names)
        {
            if (outgoing.Headers.NonValidated.Contains(name))
            {
                outgoing.Headers.Remove(name);
            }
        }

        foreach (var (name, value) in Known(request.Caller))
        {
            outgoing.Headers.TryAddWithoutValidation(name, value);
        }
    }

    /// <summary>Does the same, and adds the signed assertion where assertions are enabled.</summary>
    /// <param name="outgoing">The request to an upstream.</param>
    /// <param name="request">The request that is being served.</param>
    /// <param name="upstream">The upstream's name, which is the assertion's audience.</param>
    /// <param name="assertions">The source of assertions; null unless <c>Identity:SignedAssertion</c> is set.</param>
    internal static void Apply(HttpRequestMessage outgoing, BffRequest request, string upstream, IdentityAssertions? assertions)
    {
        Apply(outgoing, request);
        if (assertions?.For(request.Caller, upstream) is { } assertion)
        {
            outgoing.Headers.TryAddWithoutValidation("X-Identity-Token", assertion);
        }
    }

    private static IEnumerable<char> PrintableAscii() => Enumerable.Range(' ', '~' - ' ' + 1).Select(c => (char)c);

    internal static KeyValuePair<string, string>[] Compute(Caller caller)
    {
        if (!caller.IsAuthenticated)
        {
            return [];
        }

        var headers = new List<KeyValuePair<string, string>>(6);
        if (!caller.IsApplication)
        {
            Add("X-User-Id", caller.Subject);
            Add("X-User-Email", caller.Email);
        }

        var roles = caller.Roles.Where(role => role.Length > 0).Select(role => Encode(role, isListItem: true));
        Add("X-User-Roles", string.Join(',', roles), isEncoded: true);
        Add("X-OAuth-Scopes", string.Join(' ', caller.Scopes.Order(StringComparer.Ordinal)));
        Add("X-Tenant-Id", caller.Tenant);
        Add("X-Client-Id", caller.Client);
        return [.. headers];

        void Add(string name, string? value, bool isEncoded = false)
        {
            if (!string.IsNullOrEmpty(value))
            {
                headers.Add(new(name, isEncoded ? value : Encode(value)));
            }
        }
    }

    /// <summary>
    /// Percent-encodes, as UTF-8, every character that is not printable ASCII. Control characters cannot come from a token but could come
    /// from elsewhere. <c>%</c> is encoded too, so that no two values look alike and decoding returns what the token said. So are spaces at
    /// either end, which HTTP would drop: <c>" u-1"</c> must not arrive as <c>u-1</c>. In a list item the comma is encoded, because it
    /// would split the item.
    /// </summary>
    private static string Encode(string value, bool isListItem = false)
    {
        var plain = isListItem ? PlainInList : Plain;
        if (!value.AsSpan().ContainsAnyExcept(plain) && value[0] != ' ' && value[^1] != ' ')
        {
            return value;
        }

        var text = new StringBuilder(value.Length + 16);
        var bytes = Encoding.UTF8.GetBytes(value);
        for (var i = 0; i < bytes.Length; i++)
        {
            var isEdge = i == 0 || i == bytes.Length - 1;
            if (plain.Contains((char)bytes[i]) && !(bytes[i] == ' ' && isEdge))
            {
                text.Append((char)bytes[i]);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"%{bytes[i]:X2}");
            }
        }

        return text.ToString();
    }
}

/// <summary>
/// Removes identity headers that the client sent, on every route, before anything can read them. Counts the length of all headers in the
/// same pass.
/// </summary>
internal sealed class IdentityHeadersMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        var headers = context.Request.Headers;
        List<string>? claimed = null;
        var length = 0;
        foreach (var (name, values) in headers)
        {
            length += HeadLength.Of(name, values);
            if (IdentityHeaders.IsReserved(name))
            {
                (claimed ??= []).Add(name);
            }
        }

        if (claimed is not null)
        {
            foreach (var name in claimed)
            {
                headers.Remove(name);
            }
        }

        BffRequest.Of(context).HeadLength = length;
        return next(context);
    }
}

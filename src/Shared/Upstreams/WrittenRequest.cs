using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Serialization;
using Refit;

namespace Bff.Upstreams;

/// <summary>
/// The message handler of a generated client. Keeps the request that the client has written, and answers at once instead of sending it.
/// </summary>
internal sealed class RequestTaker(UpstreamClient upstream) : HttpMessageHandler
{
    private static readonly Task<HttpResponseMessage> Taken = Task.FromResult(
        new HttpResponseMessage { Content = new ByteArrayContent([]) }
    );

    // Nothing is awaited between the call of the client and its return, so a request kept on a thread belongs to the caller on that thread.
    [ThreadStatic]
    private static WrittenRequest? _taken;

    /// <summary>
    /// Base address for Refit; the pool later puts the path below the attempt's address. No service has this address (RFC 6761 section
    /// 6.4).
    /// </summary>
    public static readonly Uri Root = new("http://upstream.invalid/");

    /// <summary>Returns the request that a generated method writes.</summary>
    /// <param name="write">Refit's delegate, which writes the request once.</param>
    /// <exception cref="InvalidOperationException">The method waits for something.</exception>
    public static WrittenRequest Take(Func<CancellationToken, Task<HttpResponseMessage>> write)
    {
        _taken = null;
        var writing = write(CancellationToken.None);
        var taken = _taken;
        _taken = null;
        if (!writing.IsCompleted)
        {
            throw new InvalidOperationException(
                "A request is written without waiting for anything: no buffered body, no captured content."
            );
        }

        writing.GetAwaiter().GetResult();
        return taken!;
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _taken = new WrittenRequest(request, upstream);
        return Taken;
    }
}

/// <summary>
/// A request as a generated method wrote it. Refit disposes of its message as soon as it has an answer, so each call gets a message of its
/// own.
/// </summary>
internal sealed class WrittenRequest
{
    private static readonly HttpRequestOptionsKey<string> Template = new(HttpRequestMessageOptions.RelativePathTemplate);

    // With these characters only, an address is canonical as it was combined, unless a segment starts with a dot.
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?"
    );
    private readonly HttpMethod _method;
    private readonly HttpContent? _body;
    private readonly HttpRequestHeaders _headers;
    private readonly Uri _uri;

    public WrittenRequest(HttpRequestMessage written, UpstreamClient upstream)
    {
        Upstream = upstream;
        (_method, _body, _headers) = (written.Method, written.Content, written.Headers);
        written.Content = null;
        _uri = Canonical(written.RequestUri!);
        IsRefused =
            !IsUriOf(_uri) || !written.Options.TryGetValue(Template, out var template) || !EachValueIsOneSegment(PathOf(_uri), template);
    }

    /// <summary>The upstream that the request goes to.</summary>
    public UpstreamClient Upstream { get; }

    /// <summary>Path and query below the upstream's address, without a leading slash.</summary>
    public ReadOnlySpan<char> Path => PathOf(_uri);

    /// <summary>Whether a value would change the structure of the path, so that the named resource does not exist.</summary>
    public bool IsRefused { get; }

    /// <summary>Whether an address is that of a declared call, whose path belongs below any address of its upstream.</summary>
    public static bool IsUriOf(Uri requested) =>
        requested.OriginalString.StartsWith(RequestTaker.Root.OriginalString, StringComparison.Ordinal);

    /// <summary>Returns the path and query of such an address.</summary>
    public static ReadOnlySpan<char> PathOf(Uri declared) => declared.OriginalString.AsSpan(RequestTaker.Root.OriginalString.Length);

    /// <summary>Returns a new message to send.</summary>
    /// <param name="json">Metadata of the body.</param>
    /// <param name="onlyReads">Whether the request changes nothing, although its method could.</param>
    public HttpRequestMessage Message(JsonSerializerContext json, bool onlyReads)
    {
        var message = new HttpRequestMessage(_method, _uri) { Content = _body is UnwrittenBody unwritten ? unwritten.Write(json) : _body };
        foreach (var (name, values) in _headers.NonValidated)
        {
            message.Headers.TryAddWithoutValidation(name, values);
        }

        if (onlyReads)
        {
            message.Options.Set(Repeatable.ReadsOnly, true);
        }

        return message;
    }

    /// <summary>Returns a text that identifies a message completely.</summary>
    public string What(HttpRequestMessage message)
    {
        if (message.Content is null && _headers.NonValidated.Count == 0)
        {
            return _uri.OriginalString;
        }

        var what = new StringBuilder(_uri.OriginalString).Append('\n');
        foreach (var (name, values) in _headers.NonValidated)
        {
            what.Append(name).Append(':').AppendJoin(',', values).Append('\n');
        }

        return what.Append(message.Content is JsonBytes body ? Encoding.UTF8.GetString(body.Utf8.Span) : "").ToString();
    }

    /// <summary>
    /// Returns the address in its canonical form, which its text nearly always has already. Reading it from the address itself would parse
    /// it, at a cost of three objects.
    /// </summary>
    private static Uri Canonical(Uri combined)
    {
        if (!IsUriOf(combined))
        {
            return combined; // The path started with the name of another host.
        }

        var path = PathOf(combined);
        return path.ContainsAnyExcept(Plain) || path is ['.', ..] || path.Contains("/.", StringComparison.Ordinal)
            ? new Uri(combined.AbsoluteUri)
            : combined;
    }

    /// <summary>
    /// Checks the values in a path, in this one place. Refit escapes a value, so slashes, question marks and control characters stay inside
    /// one segment. But it lets an empty value and a dot segment through, with which a path names another resource, and it replaces half a
    /// surrogate pair by U+FFFD, which could stand for any of them.
    /// </summary>
    /// <param name="path">The escaped path, with dot segments removed (RFC 3986 section 5.2.4) and without its leading slash; a query may
    /// follow.</param>
    /// <param name="template">The path of the interface, with its leading slash.</param>
    private static bool EachValueIsOneSegment(ReadOnlySpan<char> path, ReadOnlySpan<char> template)
    {
        path = BeforeQuery(path);
        template = BeforeQuery(template);
        return path.Count('/') + 1 == template.Count('/')
            && path is not ([] or ['/', ..] or [.., '/'])
            && !path.Contains("//", StringComparison.Ordinal)
            && !path.Contains("%EF%BF%BD", StringComparison.Ordinal);
    }

    private static ReadOnlySpan<char> BeforeQuery(ReadOnlySpan<char> text) =>
        text.IndexOf('?') is >= 0 and var query ? text[..query] : text;
}

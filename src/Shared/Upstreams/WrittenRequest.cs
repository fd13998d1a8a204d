using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Serialization;
using Refit;

namespace Bff.Upstreams;

/// <summary>
/// The handler below a generated client: keeps the request that the client has written, and answers at once instead of sending it.
/// </summary>
internal sealed class RequestTaker(UpstreamClient upstream) : HttpMessageHandler
{
    private static readonly Task<HttpResponseMessage> Taken = Task.FromResult(
        new HttpResponseMessage { Content = new ByteArrayContent([]) }
    );

    // From where the client is asked to where it returns nothing waits: what is taken on a thread belongs to who asked there.
    [ThreadStatic]
    private static WrittenRequest? _taken;

    /// <summary>
    /// Refit puts what it writes below an address; the pool puts the path below that of the attempt. No service has this one (RFC 6761
    /// section 6.4).
    /// </summary>
    public static readonly Uri Root = new("http://upstream.invalid/");

    /// <summary>The request that a generated method writes.</summary>
    /// <param name="write">Given by Refit, which writes once.</param>
    /// <exception cref="InvalidOperationException">It waits for something.</exception>
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
/// A request as a generated method wrote it. Refit disposes of its message as soon as it has its answer, so each call gets a message of its
/// own.
/// </summary>
internal sealed class WrittenRequest
{
    private static readonly HttpRequestOptionsKey<string> Template = new(HttpRequestMessageOptions.RelativePathTemplate);

    // Of these an address is canonical as it was combined, unless a segment begins with a dot.
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

    /// <summary>Where it goes.</summary>
    public UpstreamClient Upstream { get; }

    /// <summary>Path and query below the upstream's address, without a leading slash.</summary>
    public ReadOnlySpan<char> Path => PathOf(_uri);

    /// <summary>Whether a value would change the meaning of the path: what it names is not there.</summary>
    public bool IsRefused { get; }

    /// <summary>Whether an address is that of a declared call, which belongs below that of any of its upstream's.</summary>
    public static bool IsUriOf(Uri requested) =>
        requested.OriginalString.StartsWith(RequestTaker.Root.OriginalString, StringComparison.Ordinal);

    /// <summary>The path and query of such an address.</summary>
    public static ReadOnlySpan<char> PathOf(Uri declared) => declared.OriginalString.AsSpan(RequestTaker.Root.OriginalString.Length);

    /// <summary>A message to send.</summary>
    /// <param name="json">Metadata of the body.</param>
    /// <param name="onlyReads">Whether it changes nothing although its method may.</param>
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

    /// <summary>Everything that a message says.</summary>
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
    /// An address as it is sent, which its text says already for nearly all: to ask the address itself has it parsed, which costs three
    /// objects.
    /// </summary>
    private static Uri Canonical(Uri combined)
    {
        if (!IsUriOf(combined))
        {
            return combined; // Its path began with what names another host.
        }

        var path = PathOf(combined);
        return path.ContainsAnyExcept(Plain) || path is ['.', ..] || path.Contains("/.", StringComparison.Ordinal)
            ? new Uri(combined.AbsoluteUri)
            : combined;
    }

    /// <summary>
    /// The one guard for values in paths. Refit escapes a value, which keeps its slashes, question marks and controls inside one segment;
    /// but it lets an empty value and a dot segment through, by which a path names another resource, and turns half a surrogate pair into
    /// U+FFFD, which stands for any of them.
    /// </summary>
    /// <param name="path">Escaped, with dot segments removed (RFC 3986 section 5.2.4), without its leading slash; a query may
    /// follow.</param>
    /// <param name="template">As the interface has it, with its leading slash.</param>
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

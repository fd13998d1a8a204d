using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Serialization;
using Refit;

namespace Bff.Upstreams;

/// <summary>
/// The handler below a generated client: takes the request that the client has written, and answers with it instead of sending it.
/// </summary>
internal sealed class RequestTaker(UpstreamClient upstream) : HttpMessageHandler
{
    /// <summary>Refit puts what it writes below an address; the pool puts the path below that of the attempt.</summary>
    public static readonly Uri Root = new("http://upstream/");

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        Task.FromResult<HttpResponseMessage>(new WrittenRequest(request, upstream));
}

/// <summary>
/// A request as a generated method wrote it. Refit disposes of its message as soon as it has its answer, so each call gets a message of its
/// own.
/// </summary>
internal sealed class WrittenRequest : HttpResponseMessage
{
    private static readonly HttpRequestOptionsKey<string> Template = new(HttpRequestMessageOptions.RelativePathTemplate);
    private static readonly ByteArrayContent Nothing = new([]);
    private readonly HttpMethod _method;
    private readonly HttpContent? _body;
    private readonly HttpRequestHeaders _headers;
    private readonly Uri _uri;

    public WrittenRequest(HttpRequestMessage written, UpstreamClient upstream)
    {
        Upstream = upstream;
        Content = Nothing;
        (_method, _body, _headers) = (written.Method, written.Content, written.Headers);
        written.Content = null;
        Path = written.RequestUri!.AbsoluteUri[RequestTaker.Root.AbsoluteUri.Length..];
        _uri = new Uri(Path, UriKind.Relative);
        IsRefused = !written.Options.TryGetValue(Template, out var template) || !PathGuard.Holds(Path, template);
    }

    /// <summary>Where it goes.</summary>
    public UpstreamClient Upstream { get; }

    /// <summary>Path and query below the upstream's address, without a leading slash.</summary>
    public string Path { get; }

    /// <summary>Whether a value would change the meaning of the path: what it names is not there.</summary>
    public bool IsRefused { get; }

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
            return Path;
        }

        var what = new StringBuilder(Path).Append('\n');
        foreach (var (name, values) in _headers.NonValidated)
        {
            what.Append(name).Append(':').AppendJoin(',', values).Append('\n');
        }

        return what.Append(message.Content is JsonBytes body ? Encoding.UTF8.GetString(body.Utf8.Span) : "").ToString();
    }
}

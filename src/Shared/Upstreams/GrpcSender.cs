using System.Diagnostics;
using System.Net;
using System.Runtime.ExceptionServices;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bff.Upstreams;

/// <summary>
/// The message handler of a generated gRPC client. Sends the package's request to the upstream like any other read, and returns the
/// complete answer, which is limited in size and has its trailers.
/// </summary>
internal sealed class GrpcSender(UpstreamClient upstream) : HttpMessageHandler
{
    /// <summary>Turns off what the upstream does itself: retries, compression, the size limit and logging.</summary>
    public static void Set(GrpcChannelOptions options)
    {
        options.ServiceConfig = null;
        options.CompressionProviders = []; // A compressed message could be small on the wire and exceed the upstream's limit in memory.
        options.MaxReceiveMessageSize = null;
        options.LoggerFactory = NullLoggerFactory.Instance; // The package's messages quote the service.
    }

    /// <summary>Opens a channel without a client factory.</summary>
    public static GrpcChannel Open(UpstreamClient upstream)
    {
        var options = new GrpcChannelOptions { HttpHandler = new GrpcSender(upstream), DisposeHttpClient = true };
        Set(options);
        return GrpcChannel.ForAddress(RequestTaker.Root, options);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var exchange = GrpcExchange.Current;
        Activity.Current = exchange.Span; // The package's own span is not exported, and would become the parent of the attempts' spans.
        try
        {
            var message = await Message(request, cancellationToken);
            var sent = await upstream.SendRaw(message, exchange.Call);
            return exchange.Answered(sent) ?? throw new HttpRequestException("The service gave no answer.");
        }
        catch (InvalidOperationException misuse)
        {
            exchange.Misuse = ExceptionDispatchInfo.Capture(misuse); // The package would convert it into a status.
            throw;
        }
    }

    /// <summary>Copies the request to a path below the upstream's address, with a body that can be sent again.</summary>
    private static async ValueTask<HttpRequestMessage> Message(HttpRequestMessage request, CancellationToken cancellation)
    {
        var content = new ByteArrayContent(await request.Content!.ReadAsByteArrayAsync(cancellation));
        content.Headers.ContentType = request.Content.Headers.ContentType;
        var message = new HttpRequestMessage(request.Method, new Uri(request.RequestUri!.AbsolutePath[1..], UriKind.Relative))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            message.Headers.TryAddWithoutValidation(name, values);
        }

        // Without any coding the package writes a list that ends with a comma.
        message.Headers.Remove("grpc-accept-encoding");
        message.Headers.TryAddWithoutValidation("grpc-accept-encoding", "identity");
        message.Options.Set(Repeatable.ReadsOnly, true);
        return message;
    }
}

/// <summary>
/// One gRPC call while it is made. Carries through the package what it has no place for: the call's context, and the upstream's result.
/// </summary>
internal sealed class GrpcExchange
{
    private static readonly AsyncLocal<GrpcExchange?> Ambient = new();
    private UpstreamOutcome _outcome = UpstreamOutcome.Failed;
    private TimeSpan? _retryAfter;
    private int _status;

    private GrpcExchange(CallContext call) => Call = call;

    /// <summary>The exchange of the call that is being made.</summary>
    /// <exception cref="InvalidOperationException">The generated client was called without <see cref="GrpcClient{TClient}"/>.</exception>
    public static GrpcExchange Current =>
        Ambient.Value ?? throw new InvalidOperationException("A generated gRPC client is called by GrpcClient.Read, which says for whom.");

    /// <summary>The call's request, deadline and cancellation.</summary>
    public CallContext Call { get; }

    /// <summary>The span that the call belongs to.</summary>
    public Activity? Span { get; } = Activity.Current;

    /// <summary>Whether the upstream's fallback answered.</summary>
    public bool FromFallback { get; private set; }

    /// <summary>A programming error, which must not be reported as a service's answer.</summary>
    public ExceptionDispatchInfo? Misuse { get; set; }

    /// <summary>Starts an exchange; it applies to everything that the current asynchronous method calls.</summary>
    public static GrpcExchange Begin(CallContext call) => Ambient.Value = new(call);

    /// <summary>Returns the answer in the form that the package reads; null if there is none.</summary>
    public HttpResponseMessage? Answered(Sent sent)
    {
        (_outcome, _retryAfter, FromFallback) = (sent.Outcome, sent.RetryAfter, sent.FromFallback);
        if (sent is not { Response: { } response, Body: { } body })
        {
            return null;
        }

        _status = (int)response.StatusCode;
        var content = new ByteArrayContent(body.Memory.ToArray()); // The package may read it after the call has ended.
        foreach (var (name, values) in response.Content.Headers.NonValidated)
        {
            content.Headers.TryAddWithoutValidation(name, values);
        }

        body.Dispose();
        response.Content = content;
        return response;
    }

    /// <summary>Returns the outcome of a call that produced no message.</summary>
    public UpstreamAnswer<T> Failed<T>(RpcException failed)
    {
        Misuse?.Throw();
        if (_status == 0)
        {
            return UpstreamAnswer<T>.No(_outcome, 0, _retryAfter);
        }

        return failed.StatusCode switch
        {
            StatusCode.NotFound or StatusCode.PermissionDenied when _status == 200 => UpstreamAnswer<T>.No(UpstreamOutcome.NotFound, 404),
            StatusCode.DeadlineExceeded when _status == 200 => UpstreamAnswer<T>.No(UpstreamOutcome.Timeout, _status),
            _ => UpstreamAnswer<T>.No(UpstreamOutcome.Failed, _status, _retryAfter),
        };
    }
}

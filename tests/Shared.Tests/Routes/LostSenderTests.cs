using System.Net;
using Bff.Edge;
using Bff.TestKit;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Shared.Tests.Routes;

/// <summary>
/// Tests clients that disconnect in the middle of the body, in every order in which a server may report it, through a configured route
/// (<c>/any</c>) and through an endpoint of the host (<c>/own</c>).
/// </summary>
public sealed class LostSenderTests : IAsyncLifetime
{
    private RouteStage? _stage;

    public async Task InitializeAsync() =>
        _stage = await RouteStage.Start(
            context => context.Request.Body.CopyToAsync(Stream.Null),
            _ =>
                new()
                {
                    ["Upstreams:stub:Retries"] = "0",
                    ["Upstreams:stub:Timeout"] = "00:00:30",
                    ["Upstreams:stub:MaxConcurrency"] = "1",
                    ["Upstreams:stub:MaxQueue"] = "0",
                    ["Upstreams:stub:Breaker:MinimumThroughput"] = "2",
                    ["Upstreams:stub:Breaker:FailureRatio"] = "0.01",
                    ["Upstreams:stub:Breaker:BreakDuration"] = "01:00:00",
                    ["ReverseProxy:Routes:any:ClusterId"] = "stub",
                    ["ReverseProxy:Routes:any:Match:Path"] = "/any",
                    ["ReverseProxy:Routes:any:Metadata:Scope"] = "api",
                },
            places: places => places.BeforeEdge<LostClient>(),
            hasOwn: true
        );

    public async Task DisposeAsync() => await _stage!.DisposeAsync();

    public static TheoryData<string, string, bool> Cases
    {
        get
        {
            var ways = new TheoryData<string, string, bool>();
            foreach (var order in (string[])[LostClient.ReaderFirst, LostClient.ReaderAlone, LostClient.Reset, LostClient.Misread])
            {
                ways.Add("/any", order, false);
                ways.Add("/any", order, true);
                ways.Add("/own", order, false);
                ways.Add("/own", order, true);
            }

            return ways;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_client_that_disconnects_is_never_the_services_failure(string path, string order, bool isChunked)
    {
        for (var i = 0; i < 2; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(new byte[10]) };
            request.Headers.Add(LostClient.Header, order);
            request.Headers.TransferEncodingChunked = isChunked;

            using var answer = await _stage!.Gateway.Client.SendAsync(request);

            Assert.True((int)answer.StatusCode is 400 or 499, $"{answer.StatusCode}");
            // The breaker is still closed and the place is free.
            Assert.Equal(HttpStatusCode.OK, (await _stage.Gateway.Client.GetAsync(path)).StatusCode);
        }
    }

    /// <summary>Delivers half of the body and then reports a lost client as a server does.</summary>
    internal sealed class LostClient(RequestDelegate next)
    {
        public const string Header = "X-Leaves";

        /// <summary>The read is cancelled before the request is aborted.</summary>
        public const string ReaderFirst = "reader-first";

        /// <summary>Only the read fails.</summary>
        public const string ReaderAlone = "reader-alone";

        /// <summary>The read fails as on a reset connection.</summary>
        public const string Reset = "reset";

        /// <summary>The read fails because the reader is in an invalid state.</summary>
        public const string Misread = "misread";

        public Task InvokeAsync(HttpContext context)
        {
            if (context.Request.Headers[Header] is [{ } order])
            {
                var lifetime = new HttpRequestLifetimeFeature();
                context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
                context.Request.Body = new HalfBody(context, order);
            }

            return next(context);
        }
    }

    private sealed class HalfBody : ReadOnlyStream
    {
        private readonly CancellationTokenSource _aborted = new();
        private readonly string _order;
        private bool _isRead;

        public HalfBody(HttpContext context, string order)
        {
            _order = order;
            context.RequestAborted = _aborted.Token;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (!_isRead)
            {
                _isRead = true;
                return new(5);
            }

            switch (_order)
            {
                case LostClient.ReaderFirst:
                    var reading = new TaskCompletionSource<int>(); // Continuations run at once, before the next callback.
                    cancellationToken.Register(() => reading.TrySetCanceled(cancellationToken));
                    ThreadPool.QueueUserWorkItem(_ => _aborted.Cancel());
                    return new(reading.Task);
                case LostClient.ReaderAlone:
                    return ValueTask.FromException<int>(new TaskCanceledException("The request was aborted"));
                case LostClient.Reset:
                    return ValueTask.FromException<int>(new IOException("The connection was reset."));
                default:
                    return ValueTask.FromException<int>(new InvalidOperationException("Reading is already in progress."));
            }
        }

        protected override void Dispose(bool disposing)
        {
            _aborted.Dispose();
            base.Dispose(disposing);
        }
    }
}

using System.Diagnostics;
using Bff.Concurrency;
using Polly;

namespace Bff.Upstreams;

/// <summary>One attempt of a call at one address, from before it is sent to what came of it.</summary>
internal readonly struct UpstreamAttempt
{
    private readonly UpstreamAddress _address;
    private readonly Activity? _span;

    private UpstreamAttempt(UpstreamAddress address, HttpRequestMessage request, Activity? span) => (_address, Request, _span) = (address, request, span);

    /// <summary>What goes out: the call's own request, or a copy of it.</summary>
    public HttpRequestMessage Request { get; }

    public static UpstreamAttempt Begin(PooledCall call, UpstreamAddress[] addresses, UpstreamOptions options)
    {
        var number = Interlocked.Increment(ref call.Attempts);
        var address = UpstreamAddress.Choose(addresses, call.LastAddress);
        call.LastAddress = address;
        var request = number == 1 ? call.Request : RequestCopy.Of(call.Request);
        request.RequestUri = call.UriAt(address.Uri, options.Addresses);
        address.Started();
        return new(address, request, ClientSpan.Start(request, options.Name));
    }

    public Outcome<HttpResponseMessage> Answered(HttpResponseMessage response, PooledCall call, TimeProvider time)
    {
        ClientSpan.Answered(_span, response);
        var isFailure = UpstreamResilience.IsFailure(response);
        if (isFailure && RetryAfter.Of(response, time) is { } delay)
        {
            Volatile.Write(ref call.NotBefore, time.TimestampIn(delay));
        }

        _address.Ended(isFailure);
        return Outcome.FromResult(response);
    }

    /// <param name="broken">Whatever breaks an attempt is its outcome; the strategies decide what it means.</param>
    /// <param name="response">What had come so far.</param>
    /// <param name="isCancelled">It was ended from outside, which says nothing about the address.</param>
    public Outcome<HttpResponseMessage> Broke(Exception broken, HttpResponseMessage? response, bool isCancelled)
    {
        response?.Dispose();
        ClientSpan.Broke(_span, broken);
        _address.Ended(failed: !isCancelled || broken is not OperationCanceledException);
        return Outcome.FromException<HttpResponseMessage>(broken);
    }
}

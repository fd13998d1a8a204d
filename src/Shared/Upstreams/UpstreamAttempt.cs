using System.Diagnostics;
using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>One attempt of a call at one address: prepares the request and records the outcome.</summary>
internal readonly struct UpstreamAttempt
{
    private readonly Activity? _span;

    private UpstreamAttempt(UpstreamAddress address, HttpRequestMessage request, Activity? span) =>
        (Address, Request, _span) = (address, request, span);

    /// <summary>The request to send: the call's own for the first attempt, a copy for any other.</summary>
    public HttpRequestMessage Request { get; }

    /// <summary>The address that it is sent to.</summary>
    public UpstreamAddress Address { get; }

    public static UpstreamAttempt Begin(PooledCall call, UpstreamAddress[] addresses, UpstreamOptions options)
    {
        var number = Interlocked.Increment(ref call.Attempts);
        var before = call.LastAddress?.Where.Host;
        var address = UpstreamAddress.Choose(addresses, call.LastAddress);
        call.LastAddress = address;
        var request = number == 1 ? call.Request : RequestCopy.Of(call.Request);
        request.RequestUri = call.UriAt(address.Where.Uri, options.Addresses);
        if ((address.Where.Host ?? before) is not null && request.Headers.Host is var host && (host is null || host == before))
        {
            request.Headers.Host = address.Where.Host; // A Host header that a route sets is kept.
        }

        address.Started();
        return new(address, request, ClientSpan.Start(request, options.Name));
    }

    public AttemptOutcome Answered(HttpResponseMessage response, BufferedBody? body, PooledCall call, TimeProvider time)
    {
        ClientSpan.Answered(_span, response);
        var isBad = AttemptOutcome.IsBad(response, isWhole: body is not null);
        if (isBad && RetryAfter.Of(response, time) is { } delay)
        {
            Volatile.Write(ref call.NotBefore, time.TimestampIn(delay));
        }

        Address.Ended(isGood: !isBad);
        return new(response, isBad ? AttemptEnd.Failed : AttemptEnd.Good, body);
    }

    /// <param name="broken">The exception that ended the attempt.</param>
    /// <param name="response">The answer's head, if it had arrived.</param>
    /// <param name="end">How the attempt ended.</param>
    /// <param name="isSlow">Whether another address has answered meanwhile, which counts as a failure of this one.</param>
    public AttemptOutcome Broke(Exception broken, HttpResponseMessage? response, AttemptEnd end, bool isSlow)
    {
        response?.Dispose();
        ClientSpan.Broke(_span, broken);
        Address.Ended(isGood: isSlow || end is AttemptEnd.Failed or AttemptEnd.TimedOut ? false : null);
        return new(null, end);
    }
}

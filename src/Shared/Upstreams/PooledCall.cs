using System.Diagnostics;
using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>One call on its way through a pool: what the resilience strategies and the attempts share.</summary>
internal sealed class PooledCall
{
    private readonly Uri _requested = null!;
    private string? _path;

    /// <summary>The request; further attempts send copies.</summary>
    public required HttpRequestMessage Request
    {
        get;
        init => (field, _requested) = (value, value.RequestUri!);
    }

    /// <summary>In a composition an attempt reads the whole body, so that time-outs, retries and the breaker see it.</summary>
    public required BodyUse Body { get; init; }

    /// <summary>When the answer is no longer waited for.</summary>
    public required Deadline Deadline { get; init; }

    /// <summary>While the body is sent on as it arrives: the attempt's place and time.</summary>
    public ArrivingAttempt? Arriving { get; set; }

    /// <summary>How many attempts have been started.</summary>
    public int Attempts;

    /// <summary>
    /// <see cref="TimeProvider.GetTimestamp"/> before which the service wants no further attempt; 0 where it did not say.
    /// </summary>
    public long NotBefore;

    /// <summary>Where the latest attempt went, so that the next may go elsewhere.</summary>
    public UpstreamAddress? LastAddress { get; set; }

    /// <summary>The span that the call belongs to: an attempt that a timer starts belongs to it too.</summary>
    public Activity? Parent { get; } = Activity.Current;

    /// <summary>The second attempt, while it runs beside the first.</summary>
    public BesideAttempt? Beside { get; set; }

    /// <summary>What it means that an attempt broke.</summary>
    /// <param name="broken">What broke it.</param>
    /// <param name="hasLost">Another attempt was there first.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">The caller no longer waits, or the time of all is up: at the call's own deadline that is a time-out, which is
    /// the service's doing.</param>
    public AttemptEnd EndOf(Exception broken, bool hasLost, TimeProvider time, CancellationToken cancellation) =>
        Arriving is { HasLostSender: true } ? AttemptEnd.Abandoned
        : cancellation.IsCancellationRequested && (Arriving is not null || Deadline.Left(time) > TimeSpan.Zero) ? AttemptEnd.Abandoned
        : hasLost ? AttemptEnd.Lost
        : broken is OperationCanceledException ? AttemptEnd.TimedOut
        : Arriving is { HasKeptServiceWaiting: true } ? AttemptEnd.HungUpOn
        : AttemptEnd.Failed;

    /// <summary>Where the request goes at an address: below it, whatever address of the upstream it was made for.</summary>
    public Uri UriAt(Uri address, IEnumerable<Uri> addresses)
    {
        if (WrittenRequest.IsUriOf(_requested))
        {
            return new Uri(string.Concat(address.AbsoluteUri, WrittenRequest.PathOf(_requested)));
        }

        if (_path is null && _requested.IsAbsoluteUri && IsBelow(_requested, address))
        {
            return _requested;
        }

        _path ??= PathOf(_requested, addresses);
        return new Uri(address.AbsoluteUri + _path);
    }

    /// <summary>How long an attempt may take: an upstream's time-out, or what is left; at least a millisecond.</summary>
    public TimeSpan LimitOf(TimeSpan timeout, TimeProvider time)
    {
        var left = Deadline.Left(time);
        return left >= timeout ? timeout : TimeSpan.FromTicks(Math.Max(left.Ticks, TimeSpan.TicksPerMillisecond));
    }

    private static string PathOf(Uri requested, IEnumerable<Uri> addresses)
    {
        if (!requested.IsAbsoluteUri)
        {
            return requested.OriginalString.TrimStart('/');
        }

        foreach (var address in addresses)
        {
            if (IsBelow(requested, address))
            {
                return requested.AbsoluteUri[address.AbsoluteUri.Length..];
            }
        }

        return requested.PathAndQuery.TrimStart('/');
    }

    private static bool IsBelow(Uri requested, Uri address) =>
        requested.AbsoluteUri.StartsWith(address.AbsoluteUri, StringComparison.Ordinal);
}

/// <summary>How much of an answer's body is read before the answer counts.</summary>
internal enum BodyUse
{
    /// <summary>None: it goes to the client as it comes.</summary>
    Streamed,

    /// <summary>All of it, with the codings that the service chose: it goes to a client.</summary>
    Whole,

    /// <summary>All of it, decoded: the gateway reads it.</summary>
    Decoded,
}

using System.Diagnostics;
using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>One call through a pool: the state that the resilience strategies and the attempts share.</summary>
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

    /// <summary>
    /// How the body is used. In a composition an attempt reads it completely, so that timeouts, retries and the breaker cover it.
    /// </summary>
    public required BodyUse Body { get; init; }

    /// <summary>When the caller stops waiting for the answer.</summary>
    public required Deadline Deadline { get; init; }

    /// <summary>The attempt's place and time limit while a body is forwarded as it arrives.</summary>
    public ArrivingAttempt? Arriving { get; set; }

    /// <summary>Number of attempts that have been started.</summary>
    public int Attempts;

    /// <summary>
    /// <see cref="TimeProvider.GetTimestamp"/> until which the service wants no further attempt; 0 if it did not say.
    /// </summary>
    public long NotBefore;

    /// <summary>Address of the latest attempt, so that the next one can use another.</summary>
    public UpstreamAddress? LastAddress { get; set; }

    /// <summary>The span that the call belongs to; attempts that a timer starts belong to it too.</summary>
    public Activity? Parent { get; } = Activity.Current;

    /// <summary>The second attempt, while it runs beside the first.</summary>
    public BesideAttempt? Beside { get; set; }

    /// <summary>Classifies the end of an attempt that threw.</summary>
    /// <param name="broken">The exception.</param>
    /// <param name="hasLost">Whether another attempt finished first.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellation">Cancelled when the caller no longer waits or the total time is up. At the call's own deadline that is a
    /// timeout, which counts against the service.</param>
    public AttemptEnd EndOf(Exception broken, bool hasLost, TimeProvider time, CancellationToken cancellation) =>
        Arriving is { HasLostSender: true } ? AttemptEnd.Abandoned
        : cancellation.IsCancellationRequested && (Arriving is not null || Deadline.Left(time) > TimeSpan.Zero) ? AttemptEnd.Abandoned
        : hasLost ? AttemptEnd.Lost
        : broken is OperationCanceledException ? AttemptEnd.TimedOut
        : Arriving is { HasKeptServiceWaiting: true } ? AttemptEnd.HungUpOn
        : AttemptEnd.Failed;

    /// <summary>Returns the request's URI below an address, whichever address of the upstream it was built for.</summary>
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

    /// <summary>Returns the time limit of an attempt: the upstream's timeout or the time that is left, at least a millisecond.</summary>
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
    /// <summary>Nothing; the body is streamed to the client.</summary>
    Streamed,

    /// <summary>All of it, with the service's content codings, because it goes to a client.</summary>
    Whole,

    /// <summary>All of it, decoded, because the gateway reads it.</summary>
    Decoded,
}

using Bff.Concurrency;
using Bff.Upstreams.Discovery;

namespace Bff.Upstreams;

/// <summary>One address of a pool, with its load and its recent failures.</summary>
internal sealed class UpstreamAddress(ServiceAddress where, TimeProvider time)
{
    private const int FailuresToEject = 3;
    private static readonly TimeSpan EjectedFor = TimeSpan.FromSeconds(5);

    private int _inFlight;
    private int _failuresInRow;
    private long _ejectedUntil;

    public ServiceAddress Where => where;

    public int InFlight => Volatile.Read(ref _inFlight);

    public bool IsHealthy => Volatile.Read(ref _ejectedUntil) is var until && (until == 0 || time.GetTimestamp() >= until);

    public void Started() => Interlocked.Increment(ref _inFlight);

    /// <param name="isGood">Whether the address answered; null if the call was cancelled from outside, which says nothing about it.</param>
    public void Ended(bool? isGood)
    {
        Interlocked.Decrement(ref _inFlight);
        if (isGood is null)
        {
            return;
        }

        if (isGood is true)
        {
            if (_failuresInRow != 0)
            {
                Volatile.Write(ref _failuresInRow, 0);
                Volatile.Write(ref _ejectedUntil, 0);
            }
        }
        else if (Interlocked.Increment(ref _failuresInRow) >= FailuresToEject)
        {
            Volatile.Write(ref _ejectedUntil, time.TimestampIn(EjectedFor));
        }
    }

    /// <summary>
    /// Chooses by power of two choices (Mitzenmacher 2001) among the healthy addresses, or among all if none is healthy. Avoids
    /// <paramref name="not"/> if possible.
    /// </summary>
    public static UpstreamAddress Choose(UpstreamAddress[] addresses, UpstreamAddress? not)
    {
        if (addresses.Length == 1)
        {
            return addresses[0];
        }

        var a = Pick(addresses, not);
        var b = Pick(addresses, not ?? a);
        return b.InFlight < a.InFlight ? b : a;
    }

    private static UpstreamAddress Pick(UpstreamAddress[] addresses, UpstreamAddress? not)
    {
        var start = Random.Shared.Next(addresses.Length);
        UpstreamAddress? second = null;
        for (var i = 0; i < addresses.Length; i++)
        {
            var candidate = addresses[(start + i) % addresses.Length];
            if (candidate.IsHealthy)
            {
                if (candidate != not)
                {
                    return candidate;
                }

                second = candidate;
            }
        }

        return second ?? addresses[start];
    }
}

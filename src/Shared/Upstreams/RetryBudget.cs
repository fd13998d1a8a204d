namespace Bff.Upstreams;

/// <summary>
/// Bounds further attempts to a share of recent requests, so that a failing upstream is not asked twice as often as a
/// healthy one (Google SRE book, "Handling overload"). Ten slices of one second; a few attempts are always allowed.
/// </summary>
internal sealed class RetryBudget(TimeProvider time)
{
    private const int Slices = 10;
    private const double Share = 0.20;
    private const int AlwaysAllowed = 2;

    private readonly Lock _gate = new();
    private readonly int[] _requests = new int[Slices];
    private readonly int[] _retries = new int[Slices];
    private long _second;

    /// <summary>Counts a first attempt.</summary>
    public void Request()
    {
        lock (_gate)
        {
            Advance();
            _requests[_second % Slices]++;
        }
    }

    /// <summary>Takes one further attempt from the budget.</summary>
    public bool TryTake()
    {
        lock (_gate)
        {
            Advance();
            var retries = Sum(_retries);
            if (retries >= AlwaysAllowed && retries + 1 > Share * Sum(_requests))
            {
                return false;
            }

            _retries[_second % Slices]++;
            return true;
        }
    }

    /// <summary>An attempt that was taken and could not be made.</summary>
    public void GiveBack()
    {
        lock (_gate)
        {
            Advance();
            for (var s = 0; s < Slices; s++)
            {
                ref var taken = ref _retries[(_second + Slices - s) % Slices]; // The latest first.
                if (taken > 0)
                {
                    taken--;
                    return;
                }
            }
        }
    }

    /// <summary>Further attempts of the last ten seconds; for tests.</summary>
    public int Taken
    {
        get
        {
            lock (_gate)
            {
                Advance();
                return Sum(_retries);
            }
        }
    }

    private static int Sum(int[] slices)
    {
        var sum = 0;
        foreach (var slice in slices)
        {
            sum += slice;
        }

        return sum;
    }

    private void Advance()
    {
        var now = time.GetTimestamp() / time.TimestampFrequency;
        for (var s = Math.Max(_second + 1, now - Slices + 1); s <= now; s++)
        {
            _requests[s % Slices] = 0;
            _retries[s % Slices] = 0;
        }

        _second = Math.Max(_second, now);
    }
}

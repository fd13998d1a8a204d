namespace Bff.Upstreams;

/// <summary>
/// Limits further attempts to a share of the requests of the last ten seconds, so that a failing upstream does not get twice the requests
/// of a healthy one (Google SRE book, "Handling overload"). A few attempts are always allowed.
/// </summary>
internal sealed class RetryBudget(TimeProvider time)
{
    private const double Share = 0.20;
    private const int AlwaysAllowed = 2;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly RecentCount _requests = new(Window, time);
    private readonly RecentCount _retries = new(Window, time);

    /// <summary>Counts a first attempt.</summary>
    public void Request()
    {
        lock (_gate)
        {
            _requests.Add();
        }
    }

    /// <summary>Takes one further attempt from the budget. Returns false when the budget is used up.</summary>
    public bool TryTake()
    {
        lock (_gate)
        {
            var retries = _retries.Sum;
            if (retries >= AlwaysAllowed && retries + 1 > Share * _requests.Sum)
            {
                return false;
            }

            _retries.Add();
            return true;
        }
    }

    /// <summary>Returns an attempt that was taken but could not be made.</summary>
    public void GiveBack()
    {
        lock (_gate)
        {
            _retries.TakeBack();
        }
    }

    /// <summary>Number of further attempts in the last ten seconds, for tests.</summary>
    public int Taken
    {
        get
        {
            lock (_gate)
            {
                return _retries.Sum;
            }
        }
    }
}

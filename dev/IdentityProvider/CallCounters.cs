namespace Bff.Dev.IdentityProvider;

public enum IdentityEndpoint
{
    Discovery,
    Jwks,
    Authorize,

    /// <summary>All calls of the token endpoint, including refreshes.</summary>
    Token,

    /// <summary>Calls of the token endpoint with <c>grant_type=refresh_token</c>.</summary>
    Refresh,
    Introspection,
    Revocation,
    UserInfo,
    EndSession,
}

/// <summary>Counts the calls of each endpoint on arrival, and lets tests wait for them.</summary>
public sealed class CallCounters
{
    private readonly Lock gate = new();
    private readonly int[] counts = new int[Enum.GetValues<IdentityEndpoint>().Length];
    private readonly List<(IdentityEndpoint Endpoint, int Count, TaskCompletionSource Reached)> waiting = [];

    public int this[IdentityEndpoint endpoint]
    {
        get
        {
            lock (gate)
                return counts[(int)endpoint];
        }
    }

    /// <summary>Completes once the endpoint has been called <paramref name="count"/> times since the start.</summary>
    public Task Reaches(IdentityEndpoint endpoint, int count, CancellationToken cancellation = default)
    {
        lock (gate)
        {
            if (counts[(int)endpoint] >= count)
                return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Add((endpoint, count, reached));
            return reached.Task.WaitAsync(cancellation);
        }
    }

    internal void Add(IdentityEndpoint endpoint)
    {
        lock (gate)
        {
            var count = ++counts[(int)endpoint];
            foreach (var wait in waiting)
                if (wait.Endpoint == endpoint && wait.Count <= count)
                    wait.Reached.TrySetResult();
            waiting.RemoveAll(wait => wait.Reached.Task.IsCompleted);
        }
    }
}

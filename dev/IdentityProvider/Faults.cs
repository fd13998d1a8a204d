namespace Bff.Dev.IdentityProvider;

public enum FaultMode
{
    None,

    /// <summary>The connection is reset.</summary>
    Down,

    /// <summary>503.</summary>
    Unavailable,

    /// <summary>Waits until the fault is changed, then acts according to the new one.</summary>
    Hang,

    /// <summary>200 with a page that is not JSON.</summary>
    Garbage,

    /// <summary>Does the work, then resets the connection, so that the caller never learns the outcome.</summary>
    LoseAnswer,
}

/// <summary>Switches that break one endpoint.</summary>
public sealed class Faults
{
    private readonly Lock gate = new();
    private readonly FaultMode[] modes = new FaultMode[Enum.GetValues<IdentityEndpoint>().Length];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FaultMode this[IdentityEndpoint endpoint]
    {
        get
        {
            lock (gate)
                return modes[(int)endpoint];
        }
        set
        {
            TaskCompletionSource before;
            lock (gate)
            {
                modes[(int)endpoint] = value;
                (before, changed) = (changed, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            before.TrySetResult();
        }
    }

    public void Clear()
    {
        foreach (var endpoint in Enum.GetValues<IdentityEndpoint>())
            this[endpoint] = FaultMode.None;
    }

    internal RequestDelegate Guard(IdentityEndpoint endpoint, RequestDelegate next) =>
        async context =>
        {
            var mode = await Settled(endpoint, context.RequestAborted);
            switch (mode)
            {
                case FaultMode.Down:
                    context.Abort();
                    return;
                case FaultMode.Unavailable:
                    context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                    return;
                case FaultMode.Garbage:
                    context.Response.ContentType = "application/json";
                    await context.Response.WriteAsync("<html>{\"keys\": [ this is not", context.RequestAborted);
                    return;
                case FaultMode.LoseAnswer:
                    context.Response.Body = new MemoryStream();
                    await next(context);
                    context.Abort();
                    return;
                default:
                    await next(context);
                    return;
            }
        };

    private async Task<FaultMode> Settled(IdentityEndpoint endpoint, CancellationToken cancellation)
    {
        while (true)
        {
            Task change;
            lock (gate)
            {
                if (modes[(int)endpoint] != FaultMode.Hang)
                    return modes[(int)endpoint];
                change = changed.Task;
            }

            await change.WaitAsync(cancellation);
        }
    }
}

namespace Bff.Bench.Load;

/// <summary>What is asked, and how a whole answer is told from another.</summary>
/// <param name="Path">With its query.</param>
/// <param name="Expected">Text that is in every good answer's body.</param>
/// <param name="Tokens">Credentials, taken in turn.</param>
internal sealed record Target(string Path, string Expected, IReadOnlyList<string> Tokens)
{
    /// <summary>JSON that is posted; null: the path is read.</summary>
    public string? Body { get; init; }
}

/// <summary>Something that is measured: a server and what is asked of it. The first of a job's subjects is the reference.</summary>
internal sealed record Subject(string Name, Server Server, Target Target);

/// <summary>What one round showed.</summary>
internal readonly record struct Sample(double CpuMicros, double PerSecond, double P50, double P99, double AllocatedBytes, double Mebibytes)
{
    /// <summary>Runs the load and takes the server's counters before and after.</summary>
    public static async Task<Sample> Of(Server server, Func<Task<Traffic>> load)
    {
        var (cpu, allocated) = (server.CpuMicros, server.AllocatedBytes);
        var traffic = await load();
        var grown = server.AllocatedBytes - allocated;
        return new(
            (server.CpuMicros - cpu) / traffic.Requests,
            traffic.Requests / traffic.Seconds,
            traffic.P50,
            traffic.P99,
            grown < 0 ? double.NaN : grown / traffic.Requests, // The collector forgets what was allocated in a heap that it gives up.
            server.Mebibytes
        );
    }
}

/// <summary>What a load generator saw; latencies in milliseconds.</summary>
internal sealed record Traffic(long Requests, double Seconds, double P50, double P99);

namespace Bff.Bench.Load;

/// <summary>The request to send, and how a complete answer is recognised.</summary>
/// <param name="Path">Path with its query.</param>
/// <param name="Expected">Text that is in every good answer's body.</param>
/// <param name="Tokens">Credentials, used in turn.</param>
internal sealed record Target(string Path, string Expected, IReadOnlyList<string> Tokens)
{
    /// <summary>JSON to post; null: the path is read.</summary>
    public string? Body { get; init; }
}

/// <summary>A measured server with its target. The first of a job's subjects is the reference.</summary>
internal sealed record Subject(string Name, Server Server, Target Target);

/// <summary>Results of one round.</summary>
internal readonly record struct Sample(double CpuMicros, double PerSecond, double P50, double P99, double AllocatedBytes, double Mebibytes)
{
    /// <summary>Runs the load, and reads the server's counters before and after.</summary>
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
            grown < 0 ? double.NaN : grown / traffic.Requests, // Allocations in a heap that the collector gives up are forgotten.
            server.Mebibytes
        );
    }
}

/// <summary>What a load generator measured; latencies in milliseconds.</summary>
internal sealed record Traffic(long Requests, double Seconds, double P50, double P99);

using System.Collections.Concurrent;
using Bff.Bench.Soak.Hosts;

namespace Bff.Bench.Soak.Work;

/// <summary>A credential that ends: how it is used, how it is taken back, and who took it all the same.</summary>
internal sealed class Credential(string kind)
{
    public string Kind { get; } = kind;

    /// <summary>Where it is good.</summary>
    public required IReadOnlyList<Fleet> Fleets { get; init; }

    /// <summary>A request with it.</summary>
    public required Func<Fleet, HttpRequestMessage> Use { get; init; }

    /// <summary>Takes it back; true when that was answered. Null: it ends by itself.</summary>
    public Func<Task<bool>>? Revoke { get; init; }

    /// <summary>Whose usage its requests are.</summary>
    public string? Tenant { get; init; }

    public ConcurrentBag<OpenStream> Streams { get; } = [];

    /// <summary>When its revocation was requested, and when that was answered.</summary>
    public (double Asked, double Answered) Revoked { get; set; } = (double.NaN, double.NaN);

    /// <summary>When it ends by itself, NaN: not within the run.</summary>
    public double Expires { get; init; } = double.NaN;

    /// <summary>Requests with it that were served after it was taken back.</summary>
    public ConcurrentQueue<(double SentAt, Instance Instance)> Accepted { get; } = new();

    public int Probes { get; set; }

    /// <summary>How often its revocation was lost with a server and was repeated.</summary>
    public int Repeated { get; set; }
}

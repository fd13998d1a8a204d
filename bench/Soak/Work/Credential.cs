using System.Collections.Concurrent;
using Bff.Bench.Soak.Hosts;

namespace Bff.Bench.Soak.Work;

/// <summary>A credential that ends: how it is used and revoked, and which instances accepted it afterwards.</summary>
internal sealed class Credential(string kind)
{
    public string Kind { get; } = kind;

    /// <summary>Gateways that accept the credential.</summary>
    public required IReadOnlyList<Fleet> Fleets { get; init; }

    /// <summary>Creates a request with the credential.</summary>
    public required Func<Fleet, HttpRequestMessage> Use { get; init; }

    /// <summary>Revokes the credential and returns whether that was confirmed. Null: it ends by itself.</summary>
    public Func<Task<bool>>? Revoke { get; init; }

    /// <summary>Tenant whose usage its requests count for.</summary>
    public string? Tenant { get; init; }

    public ConcurrentBag<OpenStream> Streams { get; } = [];

    /// <summary>Times when the revocation was requested and when it was answered.</summary>
    public (double Asked, double Answered) Revoked { get; set; } = (double.NaN, double.NaN);

    /// <summary>Time when it ends by itself; NaN: not within the run.</summary>
    public double Expires { get; init; } = double.NaN;

    /// <summary>Requests that were served after the revocation.</summary>
    public ConcurrentQueue<(double SentAt, Instance Instance)> Accepted { get; } = new();

    public int Probes { get; set; }

    /// <summary>Number of revocations that were lost with a server and repeated.</summary>
    public int Repeated { get; set; }
}

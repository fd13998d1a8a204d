namespace Bff.TestKit.Failures;

/// <summary>The kind of an endpoint's answer.</summary>
public enum AnswerKind
{
    /// <summary>Composed of parts.</summary>
    Composed,

    /// <summary>One file of a service; its problems name no section.</summary>
    File,

    /// <summary>The service's own answer.</summary>
    PassThrough,

    /// <summary>207 with one result per item.</summary>
    Batch,
}

/// <summary>How often a row's request may be sent to its services.</summary>
public enum Sending
{
    /// <summary>A read: repeated at most once.</summary>
    Read,

    /// <summary>A write without a key: exactly once.</summary>
    Once,

    /// <summary>A write with a key: repeated only under that key.</summary>
    UnderOneKey,
}

/// <summary>One part of an endpoint's answer.</summary>
/// <param name="Name">Name in <c>_meta</c> and <c>section</c>.</param>
/// <param name="Upstream">The service that is called.</param>
/// <param name="IsRequired">Whether its failure fails the request.</param>
/// <param name="Members">Members of the answer that are null when the part fails.</param>
public sealed record FailurePart(string Name, string Upstream, bool IsRequired, params IReadOnlyList<string> Members)
{
    /// <summary>The part that must have a value first.</summary>
    public string? After { get; init; }

    /// <summary>Whether a fallback stands in: status <c>fallback</c>, and no member is null.</summary>
    public bool HasStandIn { get; init; }
}

/// <summary>One endpoint.</summary>
/// <param name="Route">Method and pattern, as the host maps it.</param>
/// <param name="Kind">Kind of its answer.</param>
/// <param name="Ask">Builds a request that succeeds while the services are well.</param>
/// <param name="Parts">All its parts.</param>
public sealed record FailureRow(
    string Route,
    AnswerKind Kind,
    Func<FailureLane, HttpRequestMessage> Ask,
    params IReadOnlyList<FailurePart> Parts
)
{
    public Sending Sending { get; init; }

    public override string ToString() => Sending == Sending.UnderOneKey ? Route + " (keyed)" : Route;
}

/// <summary>A lane whose requests run one after another, beside other lanes with callers, products and orders of their own.</summary>
/// <param name="Number">Number from 0.</param>
/// <param name="User">Id of a user.</param>
/// <param name="Product">A product that can be ordered.</param>
/// <param name="Order">An order of the lane's caller.</param>
public sealed record FailureLane(int Number, string User, string Product, string Order);

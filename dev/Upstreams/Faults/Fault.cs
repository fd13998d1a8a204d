using System.Text.Json.Serialization;

namespace Bff.Dev.Upstreams.Faults;

/// <summary>What a service does wrong. See <see cref="FaultMode"/> for the ways.</summary>
public sealed record Fault
{
    public FaultMode Mode { get; init; }

    /// <summary>Milliseconds before anything else happens, in every mode; in <c>endless</c> the gap between its pieces.</summary>
    public int DelayMs { get; init; }

    /// <summary>
    /// For <c>status</c>. On the catalogue 1 to 16 is a gRPC status inside an HTTP 200; on pricing 200 is a GraphQL error.
    /// </summary>
    public int Status { get; init; } = 500;

    /// <summary>Seconds in <c>Retry-After</c>, for <c>status</c>.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Only paths that begin with this.</summary>
    public string? Path { get; init; }

    /// <summary>Only this method.</summary>
    public string? Method { get; init; }

    /// <summary>Only requests with this <c>X-Request-Id</c>: cases that run beside each other leave one another alone.</summary>
    public string? RequestId { get; init; }

    /// <summary>Heals itself after so many requests.</summary>
    public int? Count { get; init; }

    /// <summary>In process alone: the request waits for this before anything else happens.</summary>
    [JsonIgnore]
    public Task? Until { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<FaultMode>))]
public enum FaultMode
{
    /// <summary>Healthy.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>The right answer, late.</summary>
    [JsonStringEnumMemberName("delay")]
    Delay,

    /// <summary>An error status with a problem document.</summary>
    [JsonStringEnumMemberName("status")]
    Status,

    /// <summary>The connection is reset (TCP RST) before a byte is sent.</summary>
    [JsonStringEnumMemberName("reset")]
    Reset,

    /// <summary>The connection is reset after half of the real body.</summary>
    [JsonStringEnumMemberName("reset-mid-body")]
    ResetMidBody,

    /// <summary>200 with the right content type and bytes that mean nothing.</summary>
    [JsonStringEnumMemberName("garbage")]
    Garbage,

    /// <summary>200 with an HTML page.</summary>
    [JsonStringEnumMemberName("html")]
    Html,

    /// <summary>No answer until the client gives up.</summary>
    [JsonStringEnumMemberName("hang")]
    Hang,

    /// <summary>Headers, then bytes without end, slowly.</summary>
    [JsonStringEnumMemberName("endless")]
    Endless,

    /// <summary>200 with no body.</summary>
    [JsonStringEnumMemberName("empty")]
    Empty,

    /// <summary>A gzip body of 200 KB that expands to 200 MB.</summary>
    [JsonStringEnumMemberName("bomb")]
    Bomb,

    /// <summary>The real document with 8 MiB of an unknown member, without a Content-Length.</summary>
    [JsonStringEnumMemberName("oversize")]
    Oversize,

    /// <summary>The real document with values of other types: texts are numbers, numbers texts. Pictures: another content type.</summary>
    [JsonStringEnumMemberName("wrong-type")]
    WrongType,

    /// <summary>Half of the real body as a complete message.</summary>
    [JsonStringEnumMemberName("truncated")]
    Truncated,
}

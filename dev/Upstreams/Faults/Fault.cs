using System.Text.Json.Serialization;

namespace Bff.Dev.Upstreams.Faults;

/// <summary>A fault of a service; see <see cref="FaultMode"/> for the kinds.</summary>
public sealed record Fault
{
    public FaultMode Mode { get; init; }

    /// <summary>Delay in milliseconds before anything else happens, in every mode; in <c>endless</c> the gap between pieces.</summary>
    public int DelayMs { get; init; }

    /// <summary>
    /// Status for mode <c>status</c>. On the catalogue 1 to 16 is a gRPC status inside an HTTP 200; on pricing 200 is a GraphQL error.
    /// </summary>
    public int Status { get; init; } = 500;

    /// <summary>Seconds in <c>Retry-After</c>, for mode <c>status</c>.</summary>
    public int? RetryAfter { get; init; }

    /// <summary>Limits the fault to paths with this prefix.</summary>
    public string? Path { get; init; }

    /// <summary>Limits the fault to this method.</summary>
    public string? Method { get; init; }

    /// <summary>Limits the fault to requests with this <c>X-Request-Id</c>, so that parallel test cases do not affect each other.</summary>
    public string? RequestId { get; init; }

    /// <summary>Number of requests after which the fault ends by itself.</summary>
    public int? Count { get; init; }

    /// <summary>In process only: the request waits for this before anything else happens.</summary>
    [JsonIgnore]
    public Task? Until { get; init; }
}

[JsonConverter(typeof(JsonStringEnumConverter<FaultMode>))]
public enum FaultMode
{
    /// <summary>Healthy.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>The correct answer, late.</summary>
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

    /// <summary>200 with the right content type and meaningless bytes.</summary>
    [JsonStringEnumMemberName("garbage")]
    Garbage,

    /// <summary>200 with an HTML page.</summary>
    [JsonStringEnumMemberName("html")]
    Html,

    /// <summary>No answer until the client disconnects.</summary>
    [JsonStringEnumMemberName("hang")]
    Hang,

    /// <summary>Headers, then an endless body, slowly.</summary>
    [JsonStringEnumMemberName("endless")]
    Endless,

    /// <summary>200 without a body.</summary>
    [JsonStringEnumMemberName("empty")]
    Empty,

    /// <summary>A gzip body of 200 KB that expands to 200 MB.</summary>
    [JsonStringEnumMemberName("bomb")]
    Bomb,

    /// <summary>The real document with an unknown member of 8 MiB, without a Content-Length.</summary>
    [JsonStringEnumMemberName("oversize")]
    Oversize,

    /// <summary>The real document with swapped types: strings become numbers, numbers strings. For images: another content type.</summary>
    [JsonStringEnumMemberName("wrong-type")]
    WrongType,

    /// <summary>Half of the real body as a complete message.</summary>
    [JsonStringEnumMemberName("truncated")]
    Truncated,
}

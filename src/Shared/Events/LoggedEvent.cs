using System.Text.Json.Serialization;

namespace Bff.Events;

/// <summary>The attributes of an event, without its data.</summary>
public sealed record EventHead
{
    /// <summary>CloudEvents <c>source</c>; with <see cref="SourceId"/> it names the event.</summary>
    [JsonPropertyName("s")]
    public required string Source { get; init; }

    /// <summary>CloudEvents <c>id</c>.</summary>
    [JsonPropertyName("i")]
    public required string SourceId { get; init; }

    /// <summary>CloudEvents <c>type</c>, such as <c>order.shipped</c>.</summary>
    [JsonPropertyName("t")]
    public required string Type { get; init; }

    /// <summary>CloudEvents <c>subject</c>.</summary>
    [JsonPropertyName("b")]
    public string? Subject { get; init; }

    /// <summary>CloudEvents <c>time</c>: when the event happened, according to its source.</summary>
    [JsonPropertyName("h")]
    public DateTimeOffset? Time { get; init; }

    /// <summary>Extension attribute <c>tenantid</c>: the tenant whose webhooks and <c>/v1/events</c> get the event.</summary>
    [JsonPropertyName("n")]
    public string? Tenant { get; init; }

    /// <summary>
    /// Extension attribute <c>userid</c>: the user whose server-sent events include the event. Without it, the event is sent to no stream.
    /// </summary>
    [JsonPropertyName("u")]
    public string? User { get; init; }
}

/// <summary>An event that is to be taken.</summary>
/// <param name="Head">The attributes, already checked.</param>
/// <param name="Data">The data as one line of JSON (UTF-8).</param>
public sealed record NewEvent(EventHead Head, ReadOnlyMemory<byte> Data);

/// <summary>An event that has been taken.</summary>
/// <param name="Id">The event's place in the log.</param>
/// <param name="Head">The event's attributes.</param>
/// <param name="Data">The data as one line of JSON (UTF-8).</param>
public sealed record LoggedEvent(EventId Id, EventHead Head, ReadOnlyMemory<byte> Data)
{
    /// <summary>When the event happened according to its source, or else when it was taken.</summary>
    public DateTimeOffset OccurredAt => Head.Time ?? Id.At;
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EventHead))]
internal sealed partial class EventJson : JsonSerializerContext;

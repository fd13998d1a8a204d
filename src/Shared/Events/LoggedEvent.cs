using System.Text.Json.Serialization;

namespace Bff.Events;

/// <summary>What is known of an event besides its data.</summary>
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

    /// <summary>CloudEvents <c>time</c>: when it happened, as its source says.</summary>
    [JsonPropertyName("h")]
    public DateTimeOffset? Time { get; init; }

    /// <summary>Extension attribute <c>tenantid</c>: whose webhooks and <c>/v1/events</c> it is for.</summary>
    [JsonPropertyName("n")]
    public string? Tenant { get; init; }

    /// <summary>Extension attribute <c>userid</c>: whose server-sent events it is for. An event without one is sent to no stream.</summary>
    [JsonPropertyName("u")]
    public string? User { get; init; }
}

/// <summary>An event that is to be taken.</summary>
/// <param name="Head">Checked.</param>
/// <param name="Data">Its data as one line of JSON (UTF-8).</param>
public sealed record NewEvent(EventHead Head, ReadOnlyMemory<byte> Data);

/// <summary>An event that has been taken.</summary>
/// <param name="Id">Its place in the log.</param>
/// <param name="Head">What is known of it.</param>
/// <param name="Data">Its data as one line of JSON (UTF-8).</param>
public sealed record LoggedEvent(EventId Id, EventHead Head, ReadOnlyMemory<byte> Data)
{
    /// <summary>When it happened: the source's word, else when it was taken.</summary>
    public DateTimeOffset OccurredAt => Head.Time ?? Id.At;
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EventHead))]
internal sealed partial class EventJson : JsonSerializerContext;

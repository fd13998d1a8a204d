using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Requests;

namespace MobileBff.Features.Sync;

/// <summary>What an app did while it was offline, in that order.</summary>
/// <param name="Operations">1 to 100.</param>
public sealed record OfflineChanges([property: JsonRequired] IReadOnlyList<OfflineOperation> Operations)
{
    internal const int MaxOperations = 100;

    /// <summary>What is wrong with it as a whole; null: nothing. What is wrong with a body is that operation's failure alone.</summary>
    internal Problem? Objection(Func<string, bool> isType)
    {
        if (Operations.Count is 0 or > MaxOperations || Operations.Any(o => o is null))
        {
            return Problem.Invalid("operations", $"Must have 1 to {MaxOperations} operations.");
        }

        var earlier = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Operations.Count; i++)
        {
            var (id, type, body, after) = Operations[i];
            if (!IdempotencyKey.IsKey(id) || earlier.Contains(id))
            {
                return Problem.Invalid(
                    $"operations[{i}].id",
                    $"Must be 1 to {IdempotencyKey.MaxLength} printable ASCII characters, and no other operation's."
                );
            }

            if (!isType(type))
            {
                return Problem.Invalid($"operations[{i}].type", "Is not a type of operation.");
            }

            if (body.ValueKind != JsonValueKind.Object)
            {
                return Problem.Invalid($"operations[{i}].body", "Must be an object.");
            }

            if (after?.All(earlier.Contains) == false)
            {
                return Problem.Invalid($"operations[{i}].after", "Must be ids of operations before this one.");
            }

            earlier.Add(id);
        }

        return null;
    }
}

/// <param name="Id">The app's name for it: a repeat within seven days gets the first answer.</param>
/// <param name="Type"><c>order.place</c>, <c>notification.read</c> or <c>profile.change</c>.</param>
/// <param name="Body">As the endpoint of that kind takes it; <c>{ "id" }</c> for a notification.</param>
/// <param name="After">Ids of earlier operations without whose success this one is not tried.</param>
public sealed record OfflineOperation(
    [property: JsonRequired] string Id,
    [property: JsonRequired] string Type,
    [property: JsonRequired] JsonElement Body,
    IReadOnlyList<string>? After = null
);

/// <summary>What became of each operation, and what has changed since the last time.</summary>
/// <param name="Succeeded">How many operations were done.</param>
/// <param name="Failed">How many were not.</param>
/// <param name="Orders">Null when they failed: <c>next</c> is then as it came.</param>
/// <param name="Unread">Null when notifications failed.</param>
/// <param name="Next">Give it as <c>since</c> the next time.</param>
/// <param name="HasMore">Ask again at once, with <c>GET</c>.</param>
public sealed record OfflineAnswer(
    IReadOnlyList<OperationResult> Results,
    int Succeeded,
    int Failed,
    SyncOrders? Orders,
    int? Unread,
    string? Next,
    bool HasMore,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

/// <summary>What became of one operation: a result, an error, or neither where there is nothing to tell.</summary>
/// <param name="Index">Its place in the request, from 0.</param>
/// <param name="Status">The HTTP status that it would have had alone.</param>
public sealed record OperationResult(
    int Index,
    string Id,
    int Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Result = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ItemError? Error = null
);

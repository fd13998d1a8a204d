using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Requests;

namespace MobileBff.Features.Sync;

/// <summary>The operations that the user made while the app was offline, in order.</summary>
/// <param name="Operations">1 to 100 operations.</param>
public sealed record OfflineChanges([property: JsonRequired] IReadOnlyList<OfflineOperation> Operations)
{
    internal const int MaxOperations = 100;

    /// <summary>Returns what is wrong with the request as a whole, or null. A mistake in one body fails only that operation.</summary>
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
                    $"Must be 1 to {IdempotencyKey.MaxLength} printable ASCII characters, different for each operation."
                );
            }

            if (!isType(type))
            {
                return Problem.Invalid($"operations[{i}].type", "Is not a known type of operation.");
            }

            if (body.ValueKind != JsonValueKind.Object)
            {
                return Problem.Invalid($"operations[{i}].body", "Must be an object.");
            }

            if (after?.All(earlier.Contains) == false)
            {
                return Problem.Invalid($"operations[{i}].after", "Must contain only ids of operations that come before this one.");
            }

            earlier.Add(id);
        }

        return null;
    }
}

/// <param name="Id">The app's id of the operation; a repeat within seven days gets the first answer.</param>
/// <param name="Type"><c>order.place</c>, <c>notification.read</c> or <c>profile.change</c>.</param>
/// <param name="Body">The body that the endpoint for the type accepts; <c>{ "id" }</c> for a notification.</param>
/// <param name="After">Ids of earlier operations that must have succeeded.</param>
public sealed record OfflineOperation(
    [property: JsonRequired] string Id,
    [property: JsonRequired] string Type,
    [property: JsonRequired] JsonElement Body,
    IReadOnlyList<string>? After = null
);

/// <summary>The results of the operations, and the changes since the last synchronization.</summary>
/// <param name="Succeeded">Number of operations that succeeded.</param>
/// <param name="Failed">Number of operations that failed.</param>
/// <param name="Orders">Null if they failed; <c>next</c> then repeats <c>since</c>.</param>
/// <param name="Unread">Null if notifications failed.</param>
/// <param name="Next">Value of <c>since</c> for the next time.</param>
/// <param name="HasMore">Whether to ask again at once, with <c>GET</c>.</param>
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

/// <summary>The outcome of one operation: a result, an error, or neither if there is nothing to return.</summary>
/// <param name="Index">Position in the request, from 0.</param>
/// <param name="Status">The HTTP status that the operation alone would have had.</param>
public sealed record OperationResult(
    int Index,
    string Id,
    int Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Result = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] ItemError? Error = null
);

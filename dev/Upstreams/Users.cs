using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

public sealed class Users() : SampleService("users")
{
    private static readonly string[] Writable = ["name", "locale", "preferences"];
    private static readonly ReadOnlyMemory<byte>[] Initial =
    [
        .. People.All.Select(user => new ReadOnlyMemory<byte>(JsonSerializer.SerializeToUtf8Bytes(user, DocumentJson.Plain.UserDocument))),
    ];

    private readonly Lock gate = new();
    private readonly ReadOnlyMemory<byte>[] profiles = [.. Initial];

    internal override void ResetData()
    {
        lock (gate)
            Initial.CopyTo(profiles, 0);
    }

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            (_, ["users", var id]) when People.Find(id) is not { } => Answer.NotFoundAsync(exchange, "user"),
            (_, ["users", var id]) when Refusal(exchange, id) is { } status => status == 404
                ? Answer.NotFoundAsync(exchange, "user")
                : Answer.ProblemAsync(exchange, 403, "not_your_profile", "A profile is its user's alone."),
            ("GET", ["users", var id]) => Answer.JsonAsync(exchange, profiles[IndexOf(id)]),
            ("PATCH", ["users", var id]) => PatchAsync(exchange, id),
            (_, ["users", _]) => Answer.MethodNotAllowedAsync(exchange, "GET, PATCH"),
            _ => Answer.NotFoundAsync(exchange),
        };

    /// <summary>
    /// Returns the status of a refusal: for a partner, users of other tenants do not exist; for a user, other profiles are forbidden.
    /// </summary>
    internal static int? Refusal(Exchange exchange, string id) =>
        exchange.Caller.MaySee(id, People.Find(id)?.Tenant) ? null
        : exchange.Caller.IsPartner ? 404
        : 403;

    private static int IndexOf(string id) => Array.FindIndex(People.All, user => user.Id == id);

    private Task PatchAsync(Exchange exchange, string id)
    {
        if (exchange.Request.ContentType is not { } type || !type.Contains("json", StringComparison.OrdinalIgnoreCase))
            return Answer.ProblemAsync(exchange, 415, "unsupported_media_type", "Send application/merge-patch+json.");

        JsonObject patch;
        try
        {
            // Parses everything strictly, with all strings, so that an invalid body is refused before it is used.
            using var strict = JsonDocument.Parse(exchange.Body, new() { AllowDuplicateProperties = false });
            if (
                JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(strict.RootElement, ControlJson.Default.JsonElement))
                is not JsonObject members
            )
                return Answer.ProblemAsync(exchange, 400, "malformed_request", "A merge patch is an object.");
            patch = members;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException or ArgumentException)
        {
            return Answer.ProblemAsync(exchange, 400, "malformed_request", "The body is not JSON.");
        }

        if (patch.FirstOrDefault(member => !Writable.Contains(member.Key)).Key is { } readOnly)
            return Answer.ProblemAsync(exchange, 422, "member_not_writable", $"'{readOnly}' cannot be changed.");
        if (
            patch.Any(member => member.Key != "preferences" && !IsText(member.Value))
            || (patch.TryGetPropertyValue("preferences", out var p) && p is not JsonObject)
        )
            return Answer.ProblemAsync(
                exchange,
                422,
                "invalid_member",
                "name and locale are texts of 1 to 200 characters, preferences is an object."
            );

        lock (gate)
        {
            var profile = JsonNode.Parse(profiles[IndexOf(id)].Span)!.AsObject();
            Merge(profile, patch);
            profiles[IndexOf(id)] = JsonSerializer.SerializeToUtf8Bytes<JsonNode>(profile, ControlJson.Default.JsonNode);
        }
        return Answer.JsonAsync(exchange, profiles[IndexOf(id)]);
    }

    private static bool IsText(JsonNode? node) =>
        node?.GetValueKind() == JsonValueKind.String
        && node.GetValue<string>() is { Length: > 0 and <= 200 } text
        && !string.IsNullOrWhiteSpace(text);

    /// <summary>Applies a merge patch (RFC 7396, section 2).</summary>
    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
                target.Remove(name);
            else if (value is JsonObject inner && target[name] is JsonObject existing)
                Merge(existing, inner);
            else if (value is JsonObject fresh)
                Merge((JsonObject)(target[name] = new JsonObject())!, fresh);
            else
                target[name] = value.DeepClone();
        }
    }
}

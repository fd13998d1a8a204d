using System.Buffers;
using System.Text.Json;
using Bff.Callers;
using Bff.Composition;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Upstreams;
using MobileBff.Features.Sync;
using MobileBff.Upstreams;

namespace MobileBff.Features.Me;

/// <summary>Changes the profile by a merge patch (RFC 7396), which is sent once.</summary>
internal static class PatchMe
{
    private static readonly string[] Writable = ["name", "locale", "preferences"];
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    public static async Task<Composed<Profile>> Handle(HttpContext context, Caller caller, Composer composer, IUsers users)
    {
        var patch = await Read(context.Request, context.RequestAborted);
        var user = composer.Required("user", users.Change(caller.Subject, patch)).Refused(answer => answer.ToWriteProblem("user"));
        return (await composer.Compose(() => Profile.Of(user.Value!), MobileJson.Answers.Profile)).WithoutMeta();
    }

    /// <summary>The same for a change that was made while the app was offline.</summary>
    public static async Task<StoredAnswer> Run(OperationCall operation)
    {
        using var patch = JsonDocument.Parse(operation.Body.Utf8);
        return operation.Answer(
            await operation.Make(operation.Service<IUsers>().Change(operation.Caller.Subject, ForService(patch.RootElement))), StatusCodes.Status200OK,
            Profile.Of, MobileJson.Answers.Profile);
    }

    private static async Task<WrittenJson> Read(HttpRequest request, CancellationToken cancellation)
    {
        var type = request.ContentType?.Split(';', 2)[0].Trim();
        if (!string.Equals(type, "application/merge-patch+json", StringComparison.OrdinalIgnoreCase) && !string.Equals(type, "application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw new ProblemException(new Problem(ProblemCodes.UnsupportedMediaType) { Detail = "Send the body as application/merge-patch+json." });
        }

        try
        {
            using var document = await JsonDocument.ParseAsync(request.Body, Strict, cancellation);
            return ForService(document.RootElement);
        }
        catch (JsonException)
        {
            throw new ProblemException(new Problem(ProblemCodes.MalformedRequest) { Detail = "The body is not a JSON object." });
        }
    }

    // The app's preferences are one branch of the service's.
    private static WrittenJson ForService(JsonElement patch)
    {
        if (patch.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException();
        }

        var body = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(body);
        json.WriteStartObject();
        foreach (var member in patch.EnumerateObject())
        {
            if (!Writable.Contains(member.Name))
            {
                throw new ProblemException(Problem.Invalid(member.Name, "Cannot be changed."));
            }

            json.WritePropertyName(member.Name);
            if (member.Name == "preferences")
            {
                json.WriteStartObject();
                json.WritePropertyName("mobile");
                member.Value.WriteTo(json);
                json.WriteEndObject();
            }
            else
            {
                member.Value.WriteTo(json);
            }
        }

        json.WriteEndObject();
        json.Flush();
        return new(body.WrittenMemory);
    }
}

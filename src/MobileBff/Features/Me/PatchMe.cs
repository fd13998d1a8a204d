using System.Buffers;
using System.Text.Json;
using Bff.Composition;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Requests;
using Bff.Upstreams;
using MobileBff.Features.Sync;
using MobileBff.Upstreams;

namespace MobileBff.Features.Me;

/// <summary>Changes the profile with a merge patch (RFC 7396), which is sent once.</summary>
internal static class PatchMe
{
    private static readonly string[] Writable = ["name", "locale", "preferences"];

    public static async Task<Composed<Profile>> Handle(HttpContext context, Caller caller, Composer composer, IUsers users)
    {
        var patch = ForService(await Read(context));
        var user = composer.Write("user", users.Change(caller.Subject, patch));
        return (await composer.Compose(() => Profile.Of(user.Value), MobileJson.Answers.Profile)).WithoutMeta();
    }

    /// <summary>Makes a change that the user made while the app was offline.</summary>
    public static async Task<StoredAnswer> Run(OperationCall operation) =>
        JsonBody.Parse(operation.Body.Utf8, MobileJson.Default.DictionaryStringJsonElement).TryGet(out var patch, out var problem)
            ? operation.Answer(
                await operation.Make(operation.Service<IUsers>().Change(operation.Caller.Subject, ForService(patch))),
                StatusCodes.Status200OK,
                Profile.Of,
                MobileJson.Answers.Profile
            )
            : operation.Answer(problem);

    private static async Task<Dictionary<string, JsonElement>> Read(HttpContext context)
    {
        var type = context.Request.ContentType?.Split(';', 2)[0].Trim();
        if (
            !string.Equals(type, "application/merge-patch+json", StringComparison.OrdinalIgnoreCase)
            && !string.Equals(type, "application/json", StringComparison.OrdinalIgnoreCase)
        )
        {
            throw new ProblemException(
                new Problem(ProblemCodes.UnsupportedMediaType) { Detail = "Send the body as application/merge-patch+json." }
            );
        }

        var body = await JsonBody.Read(context, MobileJson.Default.DictionaryStringJsonElement, context.RequestAborted);
        return body.TryGet(out var patch, out var problem) ? patch : throw new ProblemException(problem);
    }

    // The service has one object of preferences for each kind of app; this one is "mobile".
    private static WrittenJson ForService(Dictionary<string, JsonElement> patch)
    {
        var body = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(body);
        json.WriteStartObject();
        foreach (var (name, value) in patch)
        {
            if (!Writable.Contains(name))
            {
                throw new ProblemException(Problem.Invalid(name, "Cannot be changed. Leave it out."));
            }

            json.WritePropertyName(name);
            if (name == "preferences")
            {
                json.WriteStartObject();
                json.WritePropertyName("mobile");
                value.WriteTo(json);
                json.WriteEndObject();
            }
            else
            {
                value.WriteTo(json);
            }
        }

        json.WriteEndObject();
        json.Flush();
        return new(body.WrittenMemory);
    }
}

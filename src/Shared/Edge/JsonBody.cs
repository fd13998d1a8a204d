using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Bff.Edge;

/// <summary>The result of reading a JSON body: a value, or the problem to respond with.</summary>
/// <typeparam name="T">The type of the body.</typeparam>
/// <param name="Value">The value; null when there is a problem.</param>
/// <param name="Problem">415, 400 <c>malformed_request</c> or 400 <c>validation_failed</c>; null when there is a value.</param>
public readonly record struct JsonBody<T>(T? Value, Problem? Problem)
    where T : class
{
    /// <summary>Returns true with the value, or false with the problem.</summary>
    public bool TryGet([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Problem? problem)
    {
        (value, problem) = (Value, Problem);
        return value is not null;
    }
}

/// <summary>
/// Reads JSON bodies strictly (RFC 8259, I-JSON RFC 7493). The media type must be JSON and the encoding UTF-8. Repeated members, half
/// surrogate pairs, comments and more than <see cref="MaxDepth"/> levels are refused, and <c>null</c> is accepted only where the type
/// allows it. Errors name members as they are spelled in the JSON.
/// </summary>
public static class JsonBody
{
    /// <summary>Maximum levels of nesting.</summary>
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions Document = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };
    private static readonly string[] Required = ["Is required."];
    private static readonly ConditionalWeakTable<JsonTypeInfo, JsonTypeInfo> Strict = [];

    /// <summary>Reads the body as <typeparamref name="T"/>, or returns the problem.</summary>
    /// <exception cref="ProblemException">413 <c>payload_too_large</c> or 408 <c>request_timeout</c>, thrown while reading. The edge
    /// responds with it.</exception>
    public static async ValueTask<JsonBody<T>> Read<T>(HttpContext context, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        if (!IsJson(context.Request))
        {
            return new(null, new Problem(ProblemCodes.UnsupportedMediaType));
        }

        return Parse(await RequestBody.Read(context, cancellationToken), type);
    }

    /// <summary>Parses the bytes as <typeparamref name="T"/>, or returns the problem.</summary>
    public static JsonBody<T> Parse<T>(ReadOnlyMemory<byte> utf8, JsonTypeInfo<T> type)
        where T : class
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            return Malformed<T>("The body is not UTF-8.");
        }

        try
        {
            using var document = JsonDocument.Parse(utf8, Document);
            if (
                type.Kind is JsonTypeInfoKind.Object or JsonTypeInfoKind.Dictionary
                && document.RootElement.ValueKind != JsonValueKind.Object
            )
            {
                return Malformed<T>("The body is not a JSON object."); // A validation error could name no member.
            }

            // If the broken text belongs to a member of the type, this throws with the member's name.
            var value = document.RootElement.Deserialize(StrictOf(type));
            if (JsonTexts.MayBeBroken(utf8.Span))
            {
                JsonTexts.Check(document.RootElement);
            }

            return value is not null ? new(value, null) : Malformed<T>("The body is null. Send a JSON object.");
        }
        catch (JsonException invalid) when (invalid.Path is not null)
        {
            return new(null, new Problem(ProblemCodes.ValidationFailed) { Errors = Errors(invalid) });
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            // InvalidOperationException means an escape that is not a character, such as half of a surrogate pair.
            return Malformed<T>("The body is not well-formed JSON, has a member twice or is nested too deeply.");
        }
    }

    /// <summary>Whether the request declares its body as JSON in UTF-8 without a content coding.</summary>
    internal static bool IsJson(HttpRequest request) =>
        MediaTypes.IsJson(request.ContentType)
        && request.Headers.ContentEncoding.Count == 0
        && MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && (
            !type.Charset.HasValue
            || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            || type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase)
        );

    private static JsonBody<T> Malformed<T>(string detail)
        where T : class => new(null, new Problem(ProblemCodes.MalformedRequest) { Detail = detail });

    private static JsonTypeInfo<T> StrictOf<T>(JsonTypeInfo<T> type) =>
        (JsonTypeInfo<T>)
            Strict.GetValue(
                type,
                static loose =>
                    new JsonSerializerOptions(loose.Options)
                    {
                        AllowDuplicateProperties = false,
                        AllowTrailingCommas = false,
                        MaxDepth = MaxDepth,
                        ReadCommentHandling = JsonCommentHandling.Disallow,
                        RespectNullableAnnotations = true,
                    }.GetTypeInfo(loose.Type)
            );

    /// <summary>Returns validation errors. Only member names come from the serializer's message, which also names our types.</summary>
    private static Dictionary<string, string[]> Errors(JsonException invalid)
    {
        const string Missing = "missing required properties including:";
        var path = invalid.Path!.TrimStart('$').TrimStart('.');
        var at = invalid.Message.IndexOf(Missing, StringComparison.Ordinal);
        if (at < 0)
        {
            return new() { [path] = [invalid.Message == UtcTimestamp.Mistake ? UtcTimestamp.Mistake : "Does not have the expected type."] };
        }

        var names = invalid.Message[(at + Missing.Length)..].Split('\'').Where((_, i) => i % 2 == 1);
        return names.Distinct().ToDictionary(name => path.Length == 0 ? name : path + "." + name, _ => Required);
    }
}

using System.Text.Json.Serialization;
using Bff.Audit;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Bff.Callers.Revoked;

/// <summary><c>POST /internal/revocations</c> revokes one token, or a subject's tokens issued before a given time.</summary>
internal static class PostRevocation
{
    private const int MaxLength = 512;

    public static void MapRevocations(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapPost("/internal/revocations", Post)
            .Named("revocations")
            .RequireServiceToken("tokens.revoke")
            .WithoutLimits()
            .NeverShed()
            .ExcludeFromDescription();

    private static async Task<Results<NoContent, Problem>> Post(
        HttpContext context,
        Revocations revocations,
        CancellationToken cancellation
    )
    {
        var read = await JsonBody.Read(context, RevocationJson.Default.RevocationBody, cancellation);
        if (!read.TryGet(out var body, out var malformed))
        {
            return malformed;
        }

        if (body.Jti is not null == body.Sub is not null)
        {
            return Problem.Invalid(body.Jti is null ? "jti" : "sub", "Send either jti, or sub together with issuedBefore.");
        }

        if (body.Jti is { } token)
        {
            if (!IsId(token))
            {
                return Problem.Invalid("jti", "Must be 1 to 512 characters without control characters.");
            }

            await revocations.RevokeToken(token, ChangedBy.Of(context), cancellation);
            return TypedResults.NoContent();
        }

        if (!IsId(body.Sub!))
        {
            return Problem.Invalid("sub", "Must be 1 to 512 characters without control characters.");
        }

        if (!TryReadMoment(body.IssuedBefore, out var issuedBefore))
        {
            return Problem.Invalid("issuedBefore", "Must be a date and time with an offset, such as 2026-01-01T00:00:00Z (RFC 3339).");
        }

        await revocations.RevokeSubject(body.Sub!, issuedBefore, ChangedBy.Of(context), cancellation);
        return TypedResults.NoContent();
    }

    private static bool IsId(string id) => id.Length is > 0 and <= MaxLength && !id.Any(char.IsControl);

    private static bool TryReadMoment(string? text, out DateTimeOffset moment) =>
        Rfc3339.TryParse(text, out moment) && moment.Year is > 1970 and < 9000;
}

/// <summary>The body: <c>{ "jti": "..." }</c> or <c>{ "sub": "...", "issuedBefore": "2026-01-01T00:00:00Z" }</c>.</summary>
internal sealed record RevocationBody(string? Jti, string? Sub, string? IssuedBefore);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RevocationBody))]
internal sealed partial class RevocationJson : JsonSerializerContext;

using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Caching;

/// <summary><c>POST /internal/cache/invalidate { "tags": ["pricing:p-1"] }</c> responds with 204 once all instances know.</summary>
internal static class InvalidateFragments
{
    private const int MaxBytes = 512 * 1024;
    private const int MaxTags = 1000;
    private const int MaxTagLength = 256;

    public static void MapCacheInvalidation(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapPost("/internal/cache/invalidate", (RequestDelegate)Handle)
            .RequireServiceToken("cache.invalidate")
            .WithoutLimits()
            .WithMetadata(new RequestSizeLimitAttribute(MaxBytes))
            .ExcludeFromDescription();

    private static async Task Handle(HttpContext context)
    {
        var result = await Invalidate(context);
        await result.ExecuteAsync(context);
    }

    private static async Task<IResult> Invalidate(HttpContext context)
    {
        var read = await JsonBody.Read(context, CachingJson.Default.Request, context.RequestAborted);
        if (!read.TryGet(out var request, out var malformed))
        {
            return malformed;
        }

        if (request.Tags is not { Length: > 0 and <= MaxTags } tags || !tags.All(static t => t is { Length: > 0 and <= MaxTagLength }))
        {
            return Problem.Invalid("tags", $"Must be 1 to {MaxTags} tags of 1 to {MaxTagLength} characters.");
        }

        await context.RequestServices.GetRequiredService<IFragmentInvalidator>().Invalidate(tags, context.RequestAborted);
        return Results.NoContent();
    }

    internal sealed record Request(string[]? Tags);
}

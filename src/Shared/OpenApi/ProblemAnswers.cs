using System.Globalization;
using Bff.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Bff.OpenApi;

/// <summary>
/// Adds to every operation the problems that it can answer with: those that it declares, and those of the stages before it.
/// </summary>
internal static class ProblemAnswers
{
    private static readonly int[] Everywhere = [429, 500, 503];

    public static async Task Describe(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken cancellation
    )
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        operation.OperationId ??= metadata.OfType<EndpointName>().LastOrDefault()?.Name;
        operation.Responses ??= [];
        var anonymous = metadata.OfType<IAllowAnonymous>().Any();
        var statuses = operation
            .Responses.Keys.Select(k => int.TryParse(k, out var status) ? status : 0)
            .Where(s => s >= 400)
            .Concat(Everywhere)
            .Concat(anonymous ? [401] : [401, 403])
            .Distinct()
            .ToList();
        var schema = await context.GetOrCreateSchemaAsync(typeof(ProblemDocument), null, cancellation);
        context.Document!.AddComponent("Problem", schema);
        foreach (var status in statuses)
        {
            var response = new OpenApiResponse
            {
                Description = string.Join(
                    ", ",
                    ProblemCodes.All.Values.Where(c => c.Status == status).Select(c => c.Code).Order(StringComparer.Ordinal)
                ),
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/problem+json"] = new() { Schema = new OpenApiSchemaReference("Problem", context.Document) },
                },
            };
            operation.Responses[status.ToString(CultureInfo.InvariantCulture)] = response;
        }
    }
}

/// <summary>Declares problems on endpoints whose handlers' return types do not show them.</summary>
public static class ProblemAnswersExtensions
{
    /// <summary>Declares that the endpoint can answer with problems of these statuses.</summary>
    public static TBuilder ProducesProblemDocument<TBuilder>(this TBuilder builder, params int[] statuses)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint =>
        {
            foreach (var status in statuses)
            {
                endpoint.Metadata.Add(new ProducesResponseTypeMetadata(status, typeof(ProblemDocument), ["application/problem+json"]));
            }
        });
        return builder;
    }
}

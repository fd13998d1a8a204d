using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Bff.OpenApi;

/// <summary>
/// Endpoint metadata: a parameter that the handler reads from the request itself, so that its signature does not show it.
/// </summary>
internal sealed record DescribedParameter(string Name, ParameterLocation In, string Meaning);

/// <summary>Adds parameters to the document that no handler's signature shows.</summary>
public static class DescribedParameters
{
    /// <summary>Describes an optional query parameter that the endpoint reads.</summary>
    public static TBuilder WithQueryParameter<TBuilder>(this TBuilder builder, string name, string meaning)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new DescribedParameter(name, ParameterLocation.Query, meaning));

    /// <summary>Describes an optional header that the endpoint reads.</summary>
    public static TBuilder WithHeaderParameter<TBuilder>(this TBuilder builder, string name, string meaning)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new DescribedParameter(name, ParameterLocation.Header, meaning));

    internal static Task Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        foreach (var parameter in context.Description.ActionDescriptor.EndpointMetadata.OfType<DescribedParameter>())
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(
                new OpenApiParameter
                {
                    Name = parameter.Name,
                    In = parameter.In,
                    Description = parameter.Meaning,
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                }
            );
        }

        return Task.CompletedTask;
    }
}

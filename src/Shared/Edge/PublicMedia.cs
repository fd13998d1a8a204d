using Microsoft.AspNetCore.Builder;

namespace Bff.Edge;

/// <summary>Metadata of an endpoint whose answers are for everybody and embedded by pages of other origins: pictures.</summary>
public sealed class PublicMedia;

/// <summary>Marks endpoints.</summary>
public static class PublicMediaEndpoints
{
    /// <summary>
    /// Lets pages of any origin embed what the endpoint serves: <c>Cross-Origin-Resource-Policy: cross-origin</c>. Scripts still need CORS
    /// to read it.
    /// </summary>
    public static TBuilder AsPublicMedia<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(static endpoint => endpoint.Metadata.Add(new PublicMedia()));
        return builder;
    }
}

using Microsoft.AspNetCore.Builder;

namespace Bff.Edge;

/// <summary>Metadata of an endpoint whose responses are public and embedded by pages of other origins, such as pictures.</summary>
public sealed class PublicMedia;

/// <summary>Marks endpoints as public media.</summary>
public static class PublicMediaEndpoints
{
    /// <summary>
    /// Lets pages of any origin embed the endpoint's responses: <c>Cross-Origin-Resource-Policy: cross-origin</c>. Scripts still need CORS
    /// to read them.
    /// </summary>
    public static TBuilder AsPublicMedia<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(static endpoint => endpoint.Metadata.Add(new PublicMedia()));
        return builder;
    }
}

using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace Bff.Composition;

/// <summary>
/// A composed answer with 201 and <c>Location</c>. The OpenAPI document lists 201 and the errors of writes for it.
/// </summary>
/// <typeparam name="T">The client's contract.</typeparam>
public sealed class ComposedCreated<T> : IResult, IEndpointMetadataProvider
{
    private readonly Composed<T> _answer;

    internal ComposedCreated(Composed<T> answer) => _answer = answer;

    /// <inheritdoc />
    public Task ExecuteAsync(HttpContext httpContext) => _answer.ExecuteAsync(httpContext);

    /// <inheritdoc />
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        Composed<T>.Describe(builder, StatusCodes.Status201Created, 400, 401, 403, 404, 409, 410, 412, 422, 429, 502, 503, 504);
}

/// <summary>A composed answer with 202: the request is accepted and still to be processed.</summary>
/// <typeparam name="T">The client's contract.</typeparam>
public sealed class ComposedAccepted<T> : IResult, IEndpointMetadataProvider
{
    private readonly Composed<T> _answer;

    internal ComposedAccepted(Composed<T> answer) => _answer = answer;

    /// <inheritdoc />
    public Task ExecuteAsync(HttpContext httpContext) => _answer.ExecuteAsync(httpContext);

    /// <inheritdoc />
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        Composed<T>.Describe(builder, StatusCodes.Status202Accepted, 400, 401, 403, 404, 409, 410, 412, 422, 429, 502, 503, 504);
}

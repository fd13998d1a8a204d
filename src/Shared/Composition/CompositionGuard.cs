using System.Reflection;
using Bff.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Bff.Composition;

/// <summary>Checks at start what endpoints declare about their compositions, and stops the host if a declaration is impossible.</summary>
internal sealed class CompositionGuard : IHostedService
{
    private ICollection<EndpointDataSource> _sources = [];

    /// <summary>Sets the endpoints to check. They are checked when the host starts, after all of them have been mapped.</summary>
    public void Watch(IEndpointRouteBuilder endpoints) => _sources = endpoints.DataSources;

    /// <inheritdoc />
    /// <exception cref="InvalidOperationException">Lists every endpoint with an impossible declaration.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var mistakes = _sources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().SelectMany(Mistakes).ToList();
        return mistakes.Count == 0
            ? Task.CompletedTask
            : throw new InvalidOperationException("Endpoints whose compositions cannot be as they are: " + string.Join("; ", mistakes));
    }

    /// <inheritdoc />
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static IEnumerable<string> Mistakes(RouteEndpoint endpoint)
    {
        var name = endpoint.Metadata.GetMetadata<EndpointName>()?.Name ?? endpoint.DisplayName ?? endpoint.RoutePattern.RawText;
        var methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [];
        var onlyReads = methods.Count > 0 && methods.All(m => HttpMethods.IsGet(m) || HttpMethods.IsHead(m));
        var answer = AnswerOf(endpoint.Metadata.GetMetadata<MethodInfo>());
        if (onlyReads && (answer == typeof(ComposedCreated<>) || answer == typeof(ComposedAccepted<>)))
        {
            yield return $"'{name}' reads ({string.Join(", ", methods)}) and answers that it has made something";
        }

        if (endpoint.Metadata.GetMetadata<PublicCaching>() is null)
        {
            yield break;
        }

        if (!onlyReads)
        {
            yield return $"'{name}' is PubliclyCacheable and does not only read";
        }

        if (answer != typeof(Composed<>))
        {
            yield return $"'{name}' is PubliclyCacheable and gives no Composed answer";
        }

        if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
        {
            yield return $"'{name}' is PubliclyCacheable and not anonymous: AllowAnonymous, or Cacheable where it is composed";
        }
    }

    private static Type? AnswerOf(MethodInfo? handler)
    {
        var type = handler?.ReturnType;
        if (
            type is { IsGenericType: true } waited
            && (waited.GetGenericTypeDefinition() == typeof(Task<>) || waited.GetGenericTypeDefinition() == typeof(ValueTask<>))
        )
        {
            type = waited.GenericTypeArguments[0];
        }

        return type is { IsGenericType: true } ? type.GetGenericTypeDefinition() : null;
    }
}
